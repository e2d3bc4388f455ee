import { z } from 'zod';

import { importRoomJob } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';

import { longCall, longCallAnswers, type LongCallDeps } from '../../long-call.ts';

/** Restores a room from an archive in the data folder: the counterpart of `purgeRoom?export=true`. */
export const importRoom = (deps: LongCallDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_seneschal/v1/rooms/import',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Restores a purged room from its export',
    body: z.object({
      /** The name that the record of the deletion has under `export`; never a path. */
      file: z.string().regex(/^[A-Za-z0-9_-]{1,64}\.ndjson\.gz$/, 'is not the name of an export'),
    }),
    answer: z.object({ room_id: z.string(), events: z.number(), damaged: z.number() }),
    otherAnswers: longCallAnswers,
    handle: (request) =>
      longCall(deps, request, {
        kind: importRoomJob,
        input: { file: request.body.file },
        answer: ({ result, done }) => ({
          room_id: typeof result['room_id'] === 'string' ? result['room_id'] : '',
          events: done,
          damaged: Number(result['damaged']),
        }),
      }),
  });
