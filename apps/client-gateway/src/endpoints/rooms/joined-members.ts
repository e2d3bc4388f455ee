import type { RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { roomParams } from './shapes.ts';

const member = z.object({ display_name: z.string().optional(), avatar_url: z.string().optional() });

/** `GET /rooms/{roomId}/joined_members`: only for those who are joined themselves. */
export const joinedMembers = (deps: { roomserver: Pick<RoomserverForClient, 'joinedMembers'> }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/rooms/:roomId/joined_members'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The joined members of a room',
    params: roomParams,
    answer: z.object({ joined: z.record(z.string(), member) }),
    handle: async ({ params, requester }) => {
      const joined = await deps.roomserver.joinedMembers(params.roomId, requester.userId);
      return {
        joined: Object.fromEntries(
          [...joined].map(([userId, { displayname, avatarUrl }]) => [
            userId,
            { display_name: displayname, avatar_url: avatarUrl },
          ]),
        ),
      };
    },
  });
