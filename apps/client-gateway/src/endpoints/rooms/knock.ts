import { federation, roomserver } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { type JoinDeps, serversToAsk } from './join.ts';
import { memberContent, memberProfile } from './member-profile.ts';
import { type ResolveDeps, resolveRoom } from './resolve-room.ts';
import { identifier, reasonBody, roomIdAnswer, serversOf, viaQuery } from './shapes.ts';

/** `POST /knock/{roomIdOrAlias}`: at a room that lives elsewhere, through another server. */
export const knock = (deps: ResolveDeps & JoinDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/knock/:roomIdOrAlias'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Asks to be let into a room',
    params: z.object({ roomIdOrAlias: identifier }),
    query: viaQuery,
    body: reasonBody,
    bodyOptional: true,
    answer: roomIdAnswer,
    handle: async ({ params, query, body: { reason }, requester: { userId } }) => {
      const { roomId, servers: named } = await resolveRoom(deps, params.roomIdOrAlias);
      const profile = await memberProfile(deps.userapi, userId);
      const asked = { userId, roomId, reason, servers: [...serversOf(query), ...named] };
      const servers = await serversToAsk(deps, asked);
      if (servers.length > 0) {
        const content = memberContent(profile, reason);
        return {
          room_id: (await deps.bus.call(federation.knockRoom, { roomId, userId, servers, content })).roomId,
        };
      }
      const input = { roomId, sender: userId, target: userId, action: 'knock' as const, profile, reason };
      const knocked = await deps.bus.call(roomserver.changeMembership, input);
      return { room_id: knocked.roomId };
    },
  });
