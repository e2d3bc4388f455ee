import { publicRoomEntry, publicRoomEntryOf, type SpaceRoom } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { aclAllows, notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { pdu, roomId, type RoomReads } from './shapes.ts';

const room = publicRoomEntry.extend({
  room_version: z.string(),
  encryption: z.string().optional(),
  allowed_room_ids: z.array(z.string()).optional(),
});

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
      room: room.extend({ children_state: z.array(pdu) }),
      children: z.array(room.extend({ children_state: z.array(pdu).optional() })),
      inaccessible_children: z.array(z.string()),
    }),
    handle: async ({ params, query, origin }) => {
      const asked = { serverName: origin, suggestedOnly: query.suggested_only === 'true' };
      const acl = (await roomserver.federatedRoom(params.roomId))?.serverAcl;
      const space = aclAllows(acl, origin) ? await roomserver.hierarchy(params.roomId, asked) : undefined;
      if (space === undefined) throw notFound('There is no such room, or your server may not know of it.');
      return {
        room: { ...toAnswer(space.room), children_state: space.room.childrenState },
        children: space.children.map(toAnswer),
        inaccessible_children: space.inaccessible,
      };
    },
  });

function toAnswer(found: SpaceRoom): z.infer<typeof room> {
  const { roomVersion, encryption, allowedRooms } = found;
  return {
    ...publicRoomEntryOf(found),
    room_version: roomVersion,
    ...(encryption === undefined ? {} : { encryption }),
    ...(allowedRooms.length === 0 ? {} : { allowed_room_ids: allowedRooms }),
  };
}
