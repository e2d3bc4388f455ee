import type { CallBus } from '@seneschal/bus';
import {
  federation,
  roomserver,
  type RoomserverForFederation,
  type UserapiForClient,
} from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import { serverNameOf } from '@seneschal/matrix';

import { memberContent, memberProfile } from './member-profile.ts';
import { reasonBody, roomIdAnswer, roomParams, serversOf, viaQuery } from './shapes.ts';

export interface JoinDeps {
  bus: CallBus;
  userapi: Pick<UserapiForClient, 'profile'>;
  elsewhere: Pick<RoomserverForFederation, 'federatedRoom' | 'joinedServers' | 'membershipEvent'>;
  serverName: string;
}

export interface JoinRequest {
  userId: string;
  roomId: string;
  reason: string | undefined;
  /** Servers that may be in the room. */
  servers: readonly string[];
}

/** Joins under the profile that the user has now; a room that lives elsewhere, through another server. */
export async function join(deps: JoinDeps, request: JoinRequest): Promise<{ room_id: string }> {
  const { userId, roomId, reason } = request;
  const profile = await memberProfile(deps.userapi, userId);
  const servers = await serversToAsk(deps, request);
  if (servers.length > 0) {
    const content = memberContent(profile, reason);
    return {
      room_id: (await deps.bus.call(federation.joinRoom, { roomId, userId, servers, content })).roomId,
    };
  }
  const input = { roomId, sender: userId, target: userId, action: 'join' as const, reason, profile };
  return { room_id: (await deps.bus.call(roomserver.changeMembership, input)).roomId };
}

/** Servers through which to enter a room; none when the room is, or would be, here. */
export async function serversToAsk(
  { elsewhere, serverName }: JoinDeps,
  { roomId, userId, servers }: JoinRequest,
): Promise<string[]> {
  const room = await elsewhere.federatedRoom(roomId);
  if (room !== undefined && (!room.isElsewhere || room.isClosed)) return [];
  const sender = (await elsewhere.membershipEvent(roomId, userId))?.event['sender'];
  const inviting = typeof sender === 'string' ? serverNameOf(sender) : undefined;
  const joined = await elsewhere.joinedServers(roomId);
  const all = new Set([...servers, inviting ?? '', ...joined, serverNameOf(roomId) ?? '']);
  all.delete('');
  all.delete(serverName);
  return [...all].slice(0, 20);
}

/** `POST /rooms/{roomId}/join`. */
export const joinRoom = (deps: JoinDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/join'),
    access: 'user',
    forSuspended: false,
    rateLimit: 'write',
    summary: 'Joins a room by its ID',
    params: roomParams,
    query: viaQuery,
    body: reasonBody,
    bodyOptional: true,
    answer: roomIdAnswer,
    handle: ({ params: { roomId }, query, body: { reason }, requester: { userId } }) =>
      join(deps, { userId, roomId, reason, servers: serversOf(query) }),
  });
