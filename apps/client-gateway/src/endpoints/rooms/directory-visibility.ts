import type { CallBus } from '@seneschal/bus';
import { roomserver, type RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { empty, roomParams } from './shapes.ts';

const path = clientPaths('/directory/list/room/:roomId');
const visibility = z.enum(['public', 'private']);

/** `GET /directory/list/room/{roomId}`. */
export const getDirectoryVisibility = (deps: {
  roomserver: Pick<RoomserverForClient, 'isListed'>;
}): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'public',
    rateLimit: 'read',
    summary: 'Whether a room is in the public directory',
    params: roomParams,
    answer: z.object({ visibility }),
    handle: async ({ params: { roomId } }) => ({
      visibility: (await deps.roomserver.isListed(roomId)) ? ('public' as const) : ('private' as const),
    }),
  });

/** `PUT /directory/list/room/{roomId}`. */
export const putDirectoryVisibility = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'PUT',
    path,
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Puts a room into the public directory or takes it out',
    params: roomParams,
    body: z.object({ visibility: visibility.default('public') }),
    bodyOptional: true,
    answer: empty,
    handle: async ({ params: { roomId }, body, requester }) => {
      const input = { roomId, requestedBy: requester.userId, listed: body.visibility === 'public' };
      await deps.bus.call(roomserver.setRoomVisibility, input);
      return {};
    },
  });
