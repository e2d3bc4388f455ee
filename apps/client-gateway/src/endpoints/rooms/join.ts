import type { CallBus } from '@seneschal/bus';
import { roomserver, type UserapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import { memberProfile } from './member-profile.ts';
import { reasonBody, roomIdAnswer, roomParams } from './shapes.ts';

export interface JoinDeps {
  bus: CallBus;
  userapi: Pick<UserapiForClient, 'profile'>;
}

/** Joins under the profile that the user has now. */
export async function join(
  deps: JoinDeps,
  userId: string,
  roomId: string,
  reason: string | undefined,
): Promise<{ room_id: string }> {
  const profile = await memberProfile(deps.userapi, userId);
  const input = { roomId, sender: userId, target: userId, action: 'join' as const, reason, profile };
  return { room_id: (await deps.bus.call(roomserver.changeMembership, input)).roomId };
}

/** `POST /rooms/{roomId}/join`. */
export const joinRoom = (deps: JoinDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/join'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Joins a room by its ID',
    params: roomParams,
    body: reasonBody,
    bodyOptional: true,
    answer: roomIdAnswer,
    handle: ({ params, body, requester }) => join(deps, requester.userId, params.roomId, body.reason),
  });
