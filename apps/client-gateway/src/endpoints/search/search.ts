import type { SearchForClient, SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { answerOf, searchAnswer } from './answer.ts';
import { requestOf, searchBody } from './request.ts';

export interface SearchEndpointDeps {
  search: SearchForClient;
  syncapi: Pick<SyncapiForClient, 'tokenOf'>;
}

/** `POST /search`: in the rooms that the user is joined to, what the user may see of them. */
export const search = (deps: SearchEndpointDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/search'),
    access: 'user',
    rateLimit: 'read',
    summary: 'Search the messages, names and topics of the own rooms',
    query: z.object({ next_batch: z.string().max(2000).optional() }),
    body: searchBody,
    answer: searchAnswer,
    handle: async ({ body, query, requester: { userId, deviceId } }) => {
      const criteria = body.search_categories.room_events;
      if (criteria === undefined) return { search_categories: {} };
      const request = requestOf(criteria, { userId, deviceId, nextBatch: query.next_batch });
      const page = await deps.search.search(request);
      return { search_categories: { room_events: answerOf(page, deps.syncapi) } };
    },
  });
