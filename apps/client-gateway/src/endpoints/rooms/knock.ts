import { roomserver, type UserapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { memberProfile } from './member-profile.ts';
import { type ResolveDeps, resolveRoom } from './resolve-room.ts';
import { identifier, reasonBody, roomIdAnswer } from './shapes.ts';

/** `POST /knock/{roomIdOrAlias}`. */
export const knock = (deps: ResolveDeps & { userapi: Pick<UserapiForClient, 'profile'> }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/knock/:roomIdOrAlias'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Asks to be let into a room',
    params: z.object({ roomIdOrAlias: identifier }),
    body: reasonBody,
    bodyOptional: true,
    answer: roomIdAnswer,
    handle: async ({ params, body, requester: { userId } }) => {
      const { roomId } = await resolveRoom(deps, params.roomIdOrAlias);
      const profile = await memberProfile(deps.userapi, userId);
      const input = { roomId, sender: userId, target: userId, action: 'knock' as const, profile };
      const knocked = await deps.bus.call(roomserver.changeMembership, { ...input, reason: body.reason });
      return { room_id: knocked.roomId };
    },
  });
