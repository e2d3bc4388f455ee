import type { Kysely } from 'kysely';

import type { KnownEvent } from '../storage/foreign-reads.ts';
import { readRoom } from '../storage/room-reads.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import type { StateEntry } from './foreign-changes.ts';
import type { RoomDraft } from './room-draft.ts';

type Db = Kysely<RoomserverTables>;

export interface StateChanges {
  changes: ReadonlyMap<string, StateEntry>;
  /** Every event that the changes name. */
  known: ReadonlyMap<string, KnownEvent>;
  /** The event that the caller adds itself. */
  ownId: string;
}

/** Makes a draft's state another: events that clients have not seen become part of it, others come back. */
export async function applyChanges(
  db: Db,
  draft: RoomDraft,
  { changes, known, ownId }: StateChanges,
): Promise<void> {
  await loadMembers(db, draft, [...changes.values()]);
  for (const { type, stateKey, eventId } of changes.values()) {
    if (eventId === ownId) continue;
    const event = eventId === null ? undefined : known.get(eventId);
    if (event === undefined) {
      draft.override(type, stateKey, undefined);
    } else if (event.position === undefined) {
      draft.foreign.shown.push(event.eventId);
      draft.admit(event, true);
    } else {
      draft.override(type, stateKey, { eventId: event.eventId, pdu: event.pdu, position: event.position });
    }
  }
}

/** Loads the memberships that are about to change. */
async function loadMembers(db: Db, draft: RoomDraft, entries: readonly StateEntry[]): Promise<void> {
  const users = entries.filter(({ type }) => type === 'm.room.member').map(({ stateKey }) => stateKey);
  if (users.length === 0) return;
  const { roomId } = draft.room;
  const { members } = await readRoom(db, { roomId, users, eventIds: [], transactions: [] });
  for (const userId of users) draft.setMember(userId, members.get(userId));
}
