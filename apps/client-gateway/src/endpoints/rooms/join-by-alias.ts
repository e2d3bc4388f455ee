import type { RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { join, type JoinDeps } from './join.ts';
import { resolveRoom } from './resolve-room.ts';
import { identifier, reasonBody, roomIdAnswer } from './shapes.ts';

interface Deps extends JoinDeps {
  roomserver: Pick<RoomserverForClient, 'roomIdByAlias'>;
}

/** `POST /join/{roomIdOrAlias}`; rooms of other servers are not found until there is federation. */
export const joinRoomByAlias = (deps: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/join/:roomIdOrAlias'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Joins a room by its ID or an alias',
    params: z.object({ roomIdOrAlias: identifier }),
    body: reasonBody,
    bodyOptional: true,
    answer: roomIdAnswer,
    handle: async ({ params, body, requester }) => {
      const roomId = await resolveRoom(deps.roomserver, params.roomIdOrAlias);
      return join(deps, requester.userId, roomId, body.reason);
    },
  });
