import type { SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

/** `GET /keys/changes`. */
export const keyChanges = (deps: { syncapi: Pick<SyncapiForClient, 'keyChanges'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/keys/changes'),
    access: 'user',
    rateLimit: 'read',
    summary: 'Whose devices changed between two syncs',
    query: z.object({ from: z.string(), to: z.string() }),
    answer: z.object({ changed: z.array(z.string()), left: z.array(z.string()) }),
    handle: ({ query, requester }) => deps.syncapi.keyChanges(requester.userId, query.from, query.to),
  });
