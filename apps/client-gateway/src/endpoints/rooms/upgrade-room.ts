import type { CallBus } from '@seneschal/bus';
import { roomserver, type UserapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import { toMemberProfile } from './member-profile.ts';
import { roomParams, userId } from './shapes.ts';

/** `POST /rooms/{roomId}/upgrade`. */
export const upgradeRoom = (deps: { bus: CallBus; userapi: Pick<UserapiForClient, 'profiles'> }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/upgrade'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Replaces a room by one of another version',
    params: roomParams,
    body: z.object({ new_version: z.string(), additional_creators: z.array(userId).max(100).default([]) }),
    answer: z.object({ replacement_room: z.string() }),
    handle: async ({ params: { roomId }, body, requester: { userId: requestedBy } }) => {
      const profiles = await deps.userapi.profiles([requestedBy]);
      const { replacementRoom } = await deps.bus.call(roomserver.upgradeRoom, {
        roomId,
        requestedBy,
        profile: toMemberProfile(profiles.get(requestedBy)),
        newVersion: body.new_version,
        additionalCreators: body.additional_creators,
      });
      return { replacement_room: replacementRoom };
    },
  });
