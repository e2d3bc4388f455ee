import type { SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { count, jsonObject } from '../rooms/shapes.ts';

/** `GET /sync`. `set_presence` is accepted and has no effect. */
export const sync = (deps: { syncapi: Pick<SyncapiForClient, 'sync'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/sync'),
    access: 'user',
    rateLimit: 'read',
    summary: 'What is new for the user; waits for it when asked to',
    query: z.object({
      since: z.string().optional(),
      timeout: count.default(0),
      filter: z.string().optional(),
      full_state: z.enum(['true', 'false']).default('false'),
      use_state_after: z.enum(['true', 'false']).default('false'),
      set_presence: z.enum(['offline', 'online', 'unavailable']).optional(),
    }),
    answer: jsonObject,
    handle: ({ query, requester: { userId, deviceId }, signal }) =>
      deps.syncapi.sync({
        userId,
        deviceId,
        signal,
        timeoutMs: query.timeout,
        fullState: query.full_state === 'true',
        stateAfter: query.use_state_after === 'true',
        ...(query.since === undefined || query.since === '' ? {} : { since: query.since }),
        ...(query.filter === undefined ? {} : { filter: query.filter }),
      }),
  });
