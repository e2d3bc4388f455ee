import { z } from 'zod';

import { importRoomJob, type Job } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';

import { flag } from '../../flag.ts';
import { longCall, longCallAnswers, type LongCallDeps, rehearsalAnswer, rehearse } from '../../long-call.ts';

export interface ImportRoomDeps extends LongCallDeps {
  jobs: LongCallDeps['jobs'] & Pick<Jobs, 'reads'>;
}

/** What was found in the archive. */
const found = {
  room_id: z.string(),
  /** Events that were damaged already when they were exported, which are left out. */
  damaged: z.number(),
  /** Events of other servers of which no key is known: they are taken over unchecked. */
  unverified: z.number(),
};

/** Restores a room from an archive in the data folder: the counterpart of `purgeRoom?export=true`. */
export const importRoom = (deps: ImportRoomDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_seneschal/v1/rooms/import',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Restores a purged room from its export',
    query: z.object({ dry_run: flag }),
    body: z.object({
      /** The name that the record of the deletion has under `export`; never a path. */
      file: z.string().regex(/^[A-Za-z0-9_-]{1,64}\.ndjson\.gz$/, 'is not the name of an export'),
    }),
    answer: z.union([z.object({ ...found, events: z.number() }), rehearsalAnswer.extend(found)]),
    otherAnswers: longCallAnswers,
    handle: (request) => {
      const dryRun = request.query.dry_run;
      return longCall(deps, request, {
        kind: importRoomJob,
        input: { file: request.body.file, dryRun },
        answer: (job) => (dryRun ? rehearsalOf(deps, job) : { ...foundIn(job), events: job.done }),
      });
    },
  });

/** An archive may take long to be read: the rehearsal of its import is a job as well. */
async function rehearsalOf({ jobs }: ImportRoomDeps, job: Job): Promise<object> {
  const counts = rehearsalAnswer.shape.counts.parse(job.result['counts']);
  return { ...(await rehearse(jobs, importRoomJob, counts, counts['events'] ?? 0)), ...foundIn(job) };
}

function foundIn({ result }: Job): { room_id: string; damaged: number; unverified: number } {
  const roomId = result['room_id'];
  return {
    room_id: typeof roomId === 'string' ? roomId : '',
    damaged: Number(result['damaged']),
    unverified: Number(result['unverified'] ?? 0),
  };
}
