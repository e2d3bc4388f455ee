import type { CallBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { isRoomAlias } from '@seneschal/matrix';
import { z } from 'zod';

import { resolveAlias, type ResolveDeps } from './resolve-room.ts';
import { empty, identifier } from './shapes.ts';

const path = clientPaths('/directory/room/:roomAlias');
const params = z.object({ roomAlias: identifier.refine(isRoomAlias, 'is not a room alias') });

/** `GET /directory/room/{roomAlias}`. */
export const getAlias = (deps: ResolveDeps): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'public',
    rateLimit: 'read',
    summary: 'The room that an alias points to',
    params,
    answer: z.object({ room_id: z.string(), servers: z.array(z.string()) }),
    handle: async ({ params: { roomAlias } }) => {
      const { roomId, servers } = await resolveAlias(deps, roomAlias);
      return { room_id: roomId, servers };
    },
  });

/** `PUT /directory/room/{roomAlias}`. */
export const putAlias = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'PUT',
    path,
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Points an alias to a room',
    params,
    body: z.object({ room_id: identifier }),
    answer: empty,
    handle: async ({ params, body, requester }) => {
      const input = { alias: params.roomAlias, roomId: body.room_id, creator: requester.userId };
      await deps.bus.call(roomserver.setRoomAlias, input);
      return {};
    },
  });

/** `DELETE /directory/room/{roomAlias}`. */
export const deleteAlias = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'DELETE',
    path,
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Takes an alias away',
    params,
    answer: empty,
    handle: async ({ params, requester }) => {
      const input = { alias: params.roomAlias, requestedBy: requester.userId };
      await deps.bus.call(roomserver.deleteRoomAlias, input);
      return {};
    },
  });
