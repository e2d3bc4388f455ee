import type { RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { forbidden, ownString } from '@seneschal/matrix';
import { z } from 'zod';

import { roomParams } from './shapes.ts';

type Reads = Pick<RoomserverForClient, 'aliases' | 'membership' | 'stateEvent'>;

/** `GET /rooms/{roomId}/aliases`: for members, and for all where the room is world readable. */
export const roomAliases = (deps: { roomserver: Reads }): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/rooms/:roomId/aliases'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The aliases of a room',
    params: roomParams,
    answer: z.object({ aliases: z.array(z.string()) }),
    handle: async ({ params: { roomId }, requester: { userId } }) => {
      await demandReader(deps.roomserver, roomId, userId);
      return { aliases: await deps.roomserver.aliases(roomId) };
    },
  });

async function demandReader(reads: Reads, roomId: string, userId: string): Promise<void> {
  if ((await reads.membership(roomId, userId)) === 'join') return;
  const visibility = await reads.stateEvent(roomId, userId, 'm.room.history_visibility', '');
  if (ownString(visibility?.pdu.content, 'history_visibility') !== 'world_readable') {
    throw forbidden('You are not in this room.');
  }
}
