import type { RoomSummary, StoredEvent } from '@seneschal/contracts';
import { type JsonObject, ownString } from '@seneschal/matrix';

import { syncEvents } from '../client-event.ts';
import { tokenOf } from '../tokens.ts';
import { total } from '../sync/unread.ts';
import type { RoomData } from './room-data.ts';
import { selects, selectorsOf } from './selectors.ts';
import type { SlidingQuery, Telling } from './sliding-query.ts';

/** One room of the answer; undefined when there turns out to be nothing to tell of it. */
export function roomAnswer(query: SlidingQuery, telling: Telling, data: RoomData): JsonObject | undefined {
  const { room, lists } = telling;
  const { roomId, membership } = room;
  const common = { membership, ...(lists.length === 0 ? {} : { lists }) };
  if (membership === 'join') {
    const joined = joinedRoom(query, telling, data);
    return joined === undefined ? undefined : { ...common, ...joined };
  }
  if (membership === 'leave' || membership === 'ban') return { ...common, ...leftRoom(query, telling, data) };
  const stripped = data.stripped.get(roomId);
  // It has moved on since: the next answer tells where to.
  if (stripped === undefined) return undefined;
  return {
    ...common,
    ...initial(telling),
    bump_stamp: room.position,
    invite_state: stripped,
    is_dm: telling.isDm,
  };
}

function joinedRoom(query: SlidingQuery, telling: Telling, data: RoomData): JsonObject | undefined {
  const { roomId } = telling.room;
  const unread = data.unread.get(roomId);
  const counts = unread === undefined ? { notifications: 0, highlights: 0 } : total(unread);
  const events = eventParts(query, telling, data);
  const bump = data.bumps.get(roomId);
  const body = {
    ...initial(telling),
    ...events,
    ...namesOf(telling, data.state.get(roomId) ?? []),
    ...summaryOf(data.synced.get(roomId)?.summary, data.members.get(roomId) ?? []),
  };
  if (isSilent(telling, body)) return undefined;
  return {
    ...body,
    is_dm: telling.isDm,
    ...(bump === undefined || (telling.told !== undefined && !bump.isExact)
      ? {}
      : { bump_stamp: bump.position }),
    notification_count: counts.notifications,
    highlight_count: counts.highlights,
  };
}

/** What happened was nothing that the user sees, such as a message of somebody who is ignored. */
function isSilent(
  { told, isInitial, isExpanded, isDm, isTouched, room }: Telling,
  body: { timeline: unknown[]; required_state: unknown[]; limited: boolean },
): boolean {
  if (isInitial || isExpanded || isTouched || told === undefined) return false;
  if (body.limited || isDm !== told.isDm) return false;
  return room.activity > told.toldUpTo && body.timeline.length + body.required_state.length === 0;
}

function leftRoom(query: SlidingQuery, telling: Telling, data: RoomData): JsonObject {
  return {
    ...initial(telling),
    ...eventParts(query, telling, data),
    bump_stamp: telling.room.position,
    is_dm: telling.isDm,
  };
}

function initial({ isInitial }: Telling): { initial?: true } {
  return isInitial ? { initial: true } : {};
}

/** Timeline and state, and what tells how they go together with what came before. */
function eventParts(
  { userId, since }: SlidingQuery,
  telling: Telling,
  { synced, state, members, lazy }: RoomData,
): { timeline: JsonObject[]; required_state: JsonObject[]; limited: boolean } & JsonObject {
  const { room, isExpanded } = telling;
  const { timeline = [], limited = false, previousBatch = 0 } = synced.get(room.roomId) ?? {};
  const isLive = ({ position }: StoredEvent): boolean => since !== null && position > since.roomserver;
  const fresh = new Set(lazy.get(room.roomId)?.fresh);
  const shown = new Map<string, StoredEvent>();
  const wanted = wantedSelectors(userId, telling);
  for (const event of state.get(room.roomId) ?? [])
    if (selects(wanted, event.pdu)) shown.set(event.eventId, event);
  for (const event of members.get(room.roomId) ?? [])
    if (fresh.has(event.pdu.state_key ?? '')) shown.set(event.eventId, event);
  return {
    timeline: syncEvents(timeline),
    limited,
    prev_batch: tokenOf(previousBatch),
    num_live: timeline.filter(isLive).length,
    required_state: syncEvents([...shown.values()].sort((one, other) => one.position - other.position)),
    ...(isExpanded ? { expanded_timeline: true, unstable_expanded_timeline: true } : {}),
  };
}

/** Of the state that was read, what is told as such; the rest gives the room its name. */
function wantedSelectors(userId: string, { state, told, room }: Telling): ReturnType<typeof selectorsOf> {
  const selectors = selectorsOf(state.pairs);
  if (state.isLazy && told !== undefined) selectors.push({ type: 'm.room.member', stateKey: null });
  // Clients know by their own membership event that they are out.
  if (room.membership !== 'join') selectors.push({ type: 'm.room.member', stateKey: userId });
  return selectors;
}

/** `null` for a name that was taken away. */
function namesOf({ isInitial }: Telling, state: readonly StoredEvent[]): JsonObject {
  const valueOf = (type: string, key: string): string | null | undefined => {
    const event = state.findLast(({ pdu }) => pdu.type === type && pdu.state_key === '');
    if (event === undefined) return undefined;
    const value = ownString(event.pdu.content, key);
    return value === undefined || value === '' ? null : value;
  };
  const name = valueOf('m.room.name', 'name');
  const avatar = valueOf('m.room.avatar', 'url');
  const isTold = (value: string | null | undefined): boolean =>
    isInitial ? typeof value === 'string' : value !== undefined;
  return {
    ...(isTold(name) ? { name: name ?? null } : {}),
    ...(isTold(avatar) ? { avatar: avatar ?? null } : {}),
  };
}

function summaryOf(summary: RoomSummary | undefined, members: readonly StoredEvent[]): JsonObject {
  if (summary === undefined) return {};
  const { joinedMembers, invitedMembers, heroes } = summary;
  return {
    joined_count: joinedMembers,
    invited_count: invitedMembers,
    ...(heroes === undefined ? {} : { heroes: heroes.map((userId) => heroOf(userId, members)) }),
  };
}

function heroOf(userId: string, members: readonly StoredEvent[]): JsonObject {
  const content = members.find(({ pdu }) => pdu.state_key === userId)?.pdu.content;
  const name = ownString(content, 'displayname');
  const avatar = ownString(content, 'avatar_url');
  return {
    user_id: userId,
    ...(name === undefined ? {} : { displayname: name }),
    ...(avatar === undefined ? {} : { avatar_url: avatar }),
  };
}
