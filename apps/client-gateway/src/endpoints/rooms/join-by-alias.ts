import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { join, type JoinDeps } from './join.ts';
import { type ResolveDeps, resolveRoom } from './resolve-room.ts';
import { identifier, reasonBody, roomIdAnswer, serversOf, viaQuery } from './shapes.ts';

/** `POST /join/{roomIdOrAlias}`. */
export const joinRoomByAlias = (deps: JoinDeps & ResolveDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/join/:roomIdOrAlias'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Joins a room by its ID or an alias',
    params: z.object({ roomIdOrAlias: identifier }),
    query: viaQuery,
    body: reasonBody,
    bodyOptional: true,
    answer: roomIdAnswer,
    handle: async ({ params, query, body: { reason }, requester: { userId } }) => {
      const { roomId, servers } = await resolveRoom(deps, params.roomIdOrAlias);
      return join(deps, { userId, roomId, reason, servers: [...serversOf(query), ...servers] });
    },
  });
