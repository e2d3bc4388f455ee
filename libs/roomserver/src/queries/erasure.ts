import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';
import { type Pdu, redact, roomVersion } from '@seneschal/matrix';

import { selectErased } from '../storage/erased-users.ts';
import type { QueryDeps } from './query-deps.ts';
import { loadHistories, membershipAt, type RoomHistories } from './room-history.ts';

/** What is shown without its content once its sender is erased: messages, and what rooms say of the user. */
export function isErasable({ type, sender, state_key: stateKey }: Pdu): boolean {
  return stateKey === undefined || (type === 'm.room.member' && stateKey === sender);
}

/**
 * Takes the content from events of erased users that the reader did not see before (client-server API,
 * `POST /account/deactivate`, `erase`): who was in the room at the time of the event, or of the erasure, did. What is
 * bundled with the events is looked at too. Answers which they are. One short query where there are no such users, which is nearly always.
 */
export async function redactErased(
  deps: QueryDeps,
  userId: string,
  events: readonly StoredEvent[],
): Promise<ReadonlySet<StoredEvent>> {
  const erasable = events.flatMap(withBundled).filter(({ pdu }) => isErasable(pdu));
  const erased = await selectErased(deps.db, [...new Set(erasable.map(({ pdu }) => pdu.sender))]);
  const concerned = erasable.filter(({ pdu }) => erased.has(pdu.sender));
  const redacted = new Set<StoredEvent>();
  if (concerned.length === 0) return redacted;
  const rooms = await roomsOf(deps, [...new Set(concerned.map(({ roomId }) => roomId))]);
  const roomNids = [...rooms.values()].map(({ room_nid: roomNid }) => roomNid);
  const histories = await loadHistories(deps, userId, roomNids, Number.MAX_SAFE_INTEGER);
  for (const event of concerned) {
    const room = rooms.get(event.roomId);
    if (room === undefined) continue;
    const places = [event.position, erased.get(event.pdu.sender) ?? 0];
    if (places.some((place) => wasJoined(histories, room.room_nid, place))) continue;
    event.pdu = redact(event.pdu, roomVersion(room.room_version));
    delete event.previousContent;
    redacted.add(event);
  }
  return redacted;
}

function withBundled(event: StoredEvent): StoredEvent[] {
  const { replacement, thread } = event.bundled ?? {};
  return [event, replacement, thread?.latest].filter((one) => one !== undefined);
}

function wasJoined(histories: RoomHistories, roomNid: number, position: number): boolean {
  return membershipAt(histories.of(roomNid).memberships, position)?.membership === 'join';
}

interface Room {
  room_id: string;
  room_nid: number;
  room_version: string;
}

async function roomsOf(deps: QueryDeps, roomIds: readonly string[]): Promise<Map<string, Room>> {
  const found = await sql<Room>`
    SELECT room_id, room_nid, room_version FROM roomserver_rooms WHERE room_id = ANY(${[...roomIds]}::text[])
  `.execute(deps.db);
  return new Map(found.rows.map((row) => [row.room_id, row]));
}
