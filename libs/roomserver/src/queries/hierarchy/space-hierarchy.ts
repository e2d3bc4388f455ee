import type { HierarchyPage, HierarchyRequest, SpaceRoom, SpacesForClient } from '@seneschal/contracts';
import { forbidden, own } from '@seneschal/matrix';

import type { QueryDeps } from '../query-deps.ts';
import { spaceRooms } from '../space-rooms.ts';
import { deciding, isKnownTo } from './known-to-user.ts';

/** So many rooms of a tree are looked at for one page, be they shown or not. */
const mostRooms = 10_000;

interface Place {
  room: SpaceRoom;
  depth: number;
}

/**
 * A page of a space tree, depth first, each room once, so that loops end. The children of a space are read together; a
 * page costs as much as the tree up to its end. M_FORBIDDEN for a space that the user may not know of.
 */
export async function spaceHierarchy(
  deps: QueryDeps,
  roomId: string,
  userId: string,
  request: HierarchyRequest,
): Promise<HierarchyPage> {
  const { offset, limit, maxDepth, suggestedOnly } = request;
  const [root] = await knownRooms(deps, userId, [roomId]);
  if (root === undefined) throw forbidden('There is no such space, or none that you may see.');
  const seen = new Set([roomId]);
  const stack: Place[] = [{ room: root, depth: 0 }];
  const rooms: SpaceRoom[] = [];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const { room, depth } = place;
    const childrenState = childrenOf(room, suggestedOnly);
    rooms.push({ ...room, childrenState });
    if (rooms.length > offset + limit) break;
    if (depth >= maxDepth || seen.size >= mostRooms) continue;
    const next = childrenState.map((child) => child.state_key).filter((id) => !seen.has(id));
    for (const id of next) seen.add(id);
    const known = await knownRooms(deps, userId, next);
    stack.push(...known.reverse().map((child) => ({ room: child, depth: depth + 1 })));
  }
  return { rooms: rooms.slice(offset, offset + limit), hasMore: rooms.length > offset + limit };
}

function childrenOf(
  { roomType, childrenState }: SpaceRoom,
  suggestedOnly: boolean,
): SpaceRoom['childrenState'] {
  if (roomType !== 'm.space') return [];
  return suggestedOnly
    ? childrenState.filter((child) => own(child['content'], 'suggested') === true)
    : childrenState;
}

/** Those of the rooms that the user may know of, in their order. */
async function knownRooms(deps: QueryDeps, userId: string, roomIds: readonly string[]): Promise<SpaceRoom[]> {
  if (roomIds.length === 0) return [];
  const rooms = await spaceRooms(deps, roomIds);
  const memberships = await deciding(deps, userId, rooms.values());
  return roomIds.flatMap((id) => {
    const room = rooms.get(id);
    return room !== undefined && isKnownTo(room, memberships) ? [room] : [];
  });
}

/** One room, for one who wants to know what it is before coming in. */
export async function roomPreview(
  deps: QueryDeps,
  roomId: string,
  userId: string,
): ReturnType<SpacesForClient['roomPreview']> {
  const room = (await spaceRooms(deps, [roomId])).get(roomId);
  if (room === undefined) return undefined;
  const memberships = await deciding(deps, userId, [room]);
  return isKnownTo(room, memberships) ? { room, membership: memberships.get(roomId) } : undefined;
}
