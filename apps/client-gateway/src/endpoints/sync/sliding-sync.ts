import { slidingSyncBody, type SlidingSyncForClient } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { count, jsonObject } from '../rooms/shapes.ts';

/** Sliding sync (MSC4186), where clients look for it today. `set_presence` is accepted and has no effect. */
export const slidingSync = (deps: { syncapi: SlidingSyncForClient }): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
    access: 'user',
    rateLimit: 'read',
    summary:
      'Sliding sync (MSC4186): what is new in the rooms that are asked for; waits for it when asked to',
    query: z.object({
      pos: z.string().optional(),
      timeout: count.default(0),
      set_presence: z.enum(['offline', 'online', 'unavailable']).optional(),
    }),
    body: slidingSyncBody,
    answer: jsonObject,
    handle: ({ query, body, requester: { userId, deviceId }, signal }) =>
      deps.syncapi.slidingSync({
        userId,
        deviceId,
        pos: query.pos === '' ? undefined : query.pos,
        timeoutMs: query.timeout,
        body,
        signal,
      }),
  });
