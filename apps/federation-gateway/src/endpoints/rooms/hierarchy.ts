import { spaceRoomEntry, spaceRoomEntryOf } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { aclAllows, notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { pdu, roomId, type RoomReads } from './shapes.ts';

/** Server-server API, `GET /hierarchy/{roomId}`: a space with its children, as far as the asking server may know of them. */
export const hierarchy = ({ roomserver }: { roomserver: RoomReads }): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/hierarchy/:roomId',
    access: 'server',
    rateLimit: 'none',
    summary: 'A space and the rooms in it',
    params: z.object({ roomId }),
    query: z.object({ suggested_only: z.enum(['true', 'false']).default('false') }),
    answer: z.object({
      room: spaceRoomEntry.extend({ children_state: z.array(pdu) }),
      children: z.array(spaceRoomEntry.extend({ children_state: z.array(pdu).optional() })),
      inaccessible_children: z.array(z.string()),
    }),
    handle: async ({ params, query, origin }) => {
      const asked = { serverName: origin, suggestedOnly: query.suggested_only === 'true' };
      const acl = (await roomserver.federatedRoom(params.roomId))?.serverAcl;
      const space = aclAllows(acl, origin) ? await roomserver.hierarchy(params.roomId, asked) : undefined;
      if (space === undefined) throw notFound('There is no such room, or your server may not know of it.');
      return {
        room: { ...spaceRoomEntryOf(space.room), children_state: space.room.childrenState },
        children: space.children.map(spaceRoomEntryOf),
        inaccessible_children: space.inaccessible,
      };
    },
  });
