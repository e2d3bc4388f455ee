import type { CallBus } from '@seneschal/bus';
import { federation, roomserver, type UserapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import { serverNameOf } from '@seneschal/matrix';

import { memberContent, memberProfile } from './member-profile.ts';
import { empty, roomParams, targetBody } from './shapes.ts';

/** `POST /rooms/{roomId}/invite`. */
export const invite = (deps: {
  bus: CallBus;
  userapi: Pick<UserapiForClient, 'profile'>;
  serverName: string;
}): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/invite'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Invites a user to a room',
    params: roomParams,
    body: targetBody,
    answer: empty,
    handle: async ({ params: { roomId }, body: { user_id: target, reason }, requester }) => {
      if (serverNameOf(target) !== deps.serverName) {
        const content = memberContent({}, reason);
        await deps.bus.call(federation.inviteUser, { roomId, sender: requester.userId, target, content });
        return {};
      }
      const profile = await memberProfile(deps.userapi, target);
      const input = { roomId, sender: requester.userId, target, action: 'invite' as const, reason, profile };
      await deps.bus.call(roomserver.changeMembership, input);
      return {};
    },
  });
