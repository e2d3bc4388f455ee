import type { CallBus } from '@seneschal/bus';
import { federation, roomserver, type RoomserverForFederation } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import { empty, reasonBody, roomParams } from './shapes.ts';

/** `POST /rooms/{roomId}/leave`: also turns down an invite and takes back a knock. */
export const leave = (deps: {
  bus: CallBus;
  elsewhere: Pick<RoomserverForFederation, 'federatedRoom'>;
}): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/leave'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Leaves a room',
    params: roomParams,
    body: reasonBody,
    bodyOptional: true,
    answer: empty,
    handle: async ({ params: { roomId }, body, requester: { userId } }) => {
      const room = await deps.elsewhere.federatedRoom(roomId);
      if (room?.isElsewhere === true && !room.isClosed) {
        await deps.bus.call(federation.leaveRoom, { roomId, userId });
        return {};
      }
      const input = { roomId, sender: userId, target: userId, action: 'leave' as const, reason: body.reason };
      await deps.bus.call(roomserver.changeMembership, input);
      return {};
    },
  });
