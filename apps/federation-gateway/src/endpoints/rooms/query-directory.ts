import { endpoint, type Endpoint } from '@seneschal/http';
import { isRoomAlias, notFound } from '@seneschal/matrix';
import { z } from 'zod';

import type { RoomReads } from './shapes.ts';

/** Server-server API, `GET /query/directory`. */
export const queryDirectory = (deps: {
  roomserver: Pick<RoomReads, 'roomIdByAlias' | 'joinedServers'>;
  serverName: string;
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/query/directory',
    access: 'server',
    rateLimit: 'none',
    summary: 'The room that an alias of this server points to',
    query: z.object({ room_alias: z.string().refine(isRoomAlias, 'is not a room alias') }),
    answer: z.object({ room_id: z.string(), servers: z.array(z.string()) }),
    handle: async ({ query }) => {
      const roomId = await deps.roomserver.roomIdByAlias(query.room_alias);
      if (roomId === undefined) throw notFound('No room has this alias.');
      const servers = await deps.roomserver.joinedServers(roomId);
      return { room_id: roomId, servers: [deps.serverName, ...servers.slice(0, 50)] };
    },
  });
