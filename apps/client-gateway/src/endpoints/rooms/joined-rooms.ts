import type { RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

/** `GET /joined_rooms`. */
export const joinedRooms = (deps: { roomserver: Pick<RoomserverForClient, 'joinedRooms'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/joined_rooms'),
    access: 'user',
    rateLimit: 'read',
    summary: 'Lists the rooms that the user is joined to',
    answer: z.object({ joined_rooms: z.array(z.string()) }),
    handle: async ({ requester }) => ({ joined_rooms: await deps.roomserver.joinedRooms(requester.userId) }),
  });
