import type { RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { clientEvents } from '@seneschal/syncapi';
import { z } from 'zod';

import { jsonObject, roomParams } from './shapes.ts';

/** `GET /rooms/{roomId}/state`: for those who left, the state as of leaving. */
export const state = (deps: { roomserver: Pick<RoomserverForClient, 'state'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/rooms/:roomId/state'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The state of a room',
    params: roomParams,
    answer: z.array(jsonObject),
    handle: async ({ params, requester }) =>
      clientEvents(await deps.roomserver.state(params.roomId, requester.userId)),
  });
