import type { CallBus } from '@seneschal/bus';
import { syncapi, type SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { forbidden, notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { identifier, jsonObject, userId } from '../rooms/shapes.ts';

/** `POST /user/{userId}/filter`. */
export const postFilter = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/user/:userId/filter'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Stores a filter for sync',
    params: z.object({ userId }),
    body: jsonObject,
    answer: z.object({ filter_id: z.string() }),
    handle: async ({ params, body: filter, requester }) => {
      demandOwn(params.userId, requester.userId);
      const input = { userId: requester.userId, filter };
      return { filter_id: (await deps.bus.call(syncapi.createFilter, input)).filterId };
    },
  });

/** `GET /user/{userId}/filter/{filterId}`. */
export const getFilter = (deps: { syncapi: Pick<SyncapiForClient, 'filter'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/user/:userId/filter/:filterId'),
    access: 'user',
    rateLimit: 'read',
    summary: 'A stored filter',
    params: z.object({ userId, filterId: identifier }),
    answer: jsonObject,
    handle: async ({ params, requester }) => {
      demandOwn(params.userId, requester.userId);
      const filter = await deps.syncapi.filter(requester.userId, params.filterId);
      if (filter === undefined) throw notFound('There is no filter of this ID.');
      return filter;
    },
  });

function demandOwn(asked: string, own: string): void {
  if (asked !== own) throw forbidden('Filters are for their own user only.');
}
