import {
  federation,
  foreignRoomEntry,
  type RoomserverForClient,
  type RoomserverForFederation,
  spaceRoomEntryOf,
} from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { type ResolveDeps, resolveRoom } from './resolve-room.ts';
import { identifier, serversOf, viaQuery } from './shapes.ts';

interface Deps extends ResolveDeps {
  roomserver: Pick<RoomserverForClient, 'roomIdByAlias' | 'roomPreview' | 'membership' | 'joinedRooms'>;
  elsewhere: Pick<RoomserverForFederation, 'federatedRoom'>;
}

const answer = foreignRoomEntry.extend({ membership: z.string().optional() });
type Answer = z.infer<typeof answer>;

/** `GET /room_summary/{roomIdOrAlias}`. Of a room that this server is not in, the servers that are named are asked. */
export const roomSummary = (deps: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/client/v1/room_summary/:roomIdOrAlias',
    access: 'user',
    rateLimit: 'read',
    summary: 'What a room is, for one who may come in',
    params: z.object({ roomIdOrAlias: identifier }),
    query: viaQuery,
    answer,
    handle: async ({ params, query, requester: { userId } }) => {
      const { roomId, servers } = await resolveRoom(deps, params.roomIdOrAlias);
      const found =
        (await here(deps, roomId, userId)) ??
        (await there(deps, { roomId, userId, servers: [...serversOf(query), ...servers] }));
      if (found === undefined) throw notFound('There is no such room, or none that you may see.');
      return found;
    },
  });

async function here({ roomserver }: Deps, roomId: string, userId: string): Promise<Answer | undefined> {
  const found = await roomserver.roomPreview(roomId, userId);
  if (found === undefined) return undefined;
  const { room, membership } = found;
  return { ...spaceRoomEntryOf(room), ...(membership === undefined ? {} : { membership }) };
}

const openRules: ReadonlySet<string> = new Set(['public', 'knock', 'knock_restricted']);

/**
 * Nobody is asked about a room that this server is in: what its users may know of it is known here. What others tell is
 * for the server, so it is told on to a user who may know of the room by what it says itself.
 */
async function there(
  { bus, roomserver, elsewhere }: Deps,
  { roomId, userId, servers }: { roomId: string; userId: string; servers: string[] },
): Promise<Answer | undefined> {
  const known = await elsewhere.federatedRoom(roomId);
  if (servers.length === 0 || known?.isResident === true || known?.isClosed === true) return undefined;
  const { room } = await bus.call(federation.remoteRoomSummary, { roomId, servers });
  if (room === null) return undefined;
  const membership = await roomserver.membership(roomId, userId);
  if (membership === 'ban') return undefined;
  const isOpen = room.world_readable || openRules.has(room.join_rule) || membership === 'invite';
  if (!isOpen && !(await isLetIn(roomserver, room, userId))) return undefined;
  return { ...room, ...(membership === undefined ? {} : { membership }) };
}

async function isLetIn(
  roomserver: Pick<RoomserverForClient, 'joinedRooms'>,
  { join_rule: rule, allowed_room_ids: allowed = [] }: Answer,
  userId: string,
): Promise<boolean> {
  if (rule !== 'restricted' || allowed.length === 0) return false;
  const joined = new Set(await roomserver.joinedRooms(userId));
  return allowed.some((roomId) => joined.has(roomId));
}
