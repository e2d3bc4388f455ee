import type { CallBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import { empty, roomParams, targetBody } from './shapes.ts';

/** `POST /rooms/{roomId}/ban`. */
export const ban = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/ban'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Bans a user from a room',
    params: roomParams,
    body: targetBody,
    answer: empty,
    handle: async ({ params: { roomId }, body: { user_id: target, reason }, requester }) => {
      const input = { roomId, sender: requester.userId, target, action: 'ban' as const, reason };
      await deps.bus.call(roomserver.changeMembership, input);
      return {};
    },
  });
