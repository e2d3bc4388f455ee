import type { Kysely } from 'kysely';

import { forbidden, stateMapKey } from '@seneschal/matrix';

import { type KnownEvent, stateAsOf } from '../storage/foreign-reads.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { applyChanges } from './apply-changes.ts';
import type { StateEntry } from './foreign-changes.ts';
import { type JudgedOutliers, judgeOutliers } from './outliers.ts';
import { refusalBy, refusalByAuthEvents } from './receive.ts';
import type { RoomDraft } from './room-draft.ts';
import type { ReceivedEvent } from './room-event.ts';

type Db = Kysely<RoomserverTables>;

export interface JoinedRoom {
  /** The join. */
  event: ReceivedEvent;
  state: readonly ReceivedEvent[];
  authChain: readonly ReceivedEvent[];
}

/**
 * Makes the state that another server told that of the room, and the join its one forward extremity. Answers what of it
 * is not believed, and why, by event ID. Throws M_FORBIDDEN when the state does not allow the join.
 */
export async function enterRoom(db: Db, draft: RoomDraft, told: JoinedRoom): Promise<Map<string, string>> {
  const { event, state, authChain } = told;
  const judged = await judgeOutliers(db, draft, [...authChain, ...state]);
  if (judged.known.get(event.eventId)?.kind === 'timeline') return judged.refused;
  const entries = entriesOf(state, judged, draft.room.roomNid);
  const ownKey = stateMapKey('m.room.member', event.pdu.state_key ?? '');
  const changes = await changesTo(db, draft, entries, ownKey);
  checkJoin(draft, event, entries, judged);
  await applyChanges(db, draft, { changes, known: judged.known, ownId: event.eventId });
  hideTheRest(draft, [...authChain, ...state], judged);
  draft.admit(event);
  draft.setExtremities([event.eventId], event.pdu.depth, new Map([[event.eventId, event.pdu]]));
  return judged.refused;
}

/** The state that is believed: of two events in one place the first. */
function entriesOf(
  state: readonly ReceivedEvent[],
  judged: JudgedOutliers,
  roomNid: number,
): Map<string, StateEntry> {
  const entries = new Map<string, StateEntry>();
  for (const { eventId, pdu } of state) {
    const event = judged.known.get(eventId);
    const stateKey = pdu.state_key;
    if (stateKey === undefined || event?.roomNid !== roomNid || event.kind === 'rejected') continue;
    const key = stateMapKey(pdu.type, stateKey);
    if (entries.has(key)) judged.refused.set(eventId, 'There is another event in its place');
    else entries.set(key, { type: pdu.type, stateKey, eventId });
  }
  return entries;
}

async function changesTo(
  db: Db,
  draft: RoomDraft,
  entries: ReadonlyMap<string, StateEntry>,
  ownKey: string,
): Promise<Map<string, StateEntry>> {
  const { roomNid, lastPosition } = draft.room;
  const present =
    lastPosition === 0 ? new Map<string, StateEntry>() : await stateAsOf(db, roomNid, lastPosition);
  const changes = new Map<string, StateEntry>();
  for (const [key, entry] of entries) {
    // The join takes the place of what the user was before.
    if (key !== ownKey && present.get(key)?.eventId !== entry.eventId) changes.set(key, entry);
  }
  for (const [key, entry] of present) {
    if (key !== ownKey && !entries.has(key)) changes.set(key, { ...entry, eventId: null });
  }
  return changes;
}

function checkJoin(
  draft: RoomDraft,
  { pdu }: ReceivedEvent,
  entries: ReadonlyMap<string, StateEntry>,
  { known }: { known: ReadonlyMap<string, KnownEvent> },
): void {
  const told = {
    get: (type: string, stateKey: string) =>
      known.get(entries.get(stateMapKey(type, stateKey))?.eventId ?? '')?.pdu,
  };
  const refusal = refusalByAuthEvents(pdu, draft, known) ?? refusalBy(pdu, draft, told);
  if (refusal !== undefined) throw forbidden(`The room does not allow the join: ${refusal}.`);
}

/** Keeps what did not become part of the room: it may be named by what comes. */
export function hideTheRest(
  draft: RoomDraft,
  events: readonly ReceivedEvent[],
  judged: JudgedOutliers,
): void {
  const admitted = new Set(draft.events.map(({ eventId }) => eventId));
  const hidden = new Set<string>();
  for (const { eventId, json } of events) {
    const kind = judged.kinds.get(eventId);
    if (kind === undefined || admitted.has(eventId) || hidden.has(eventId)) continue;
    hidden.add(eventId);
    draft.foreign.hidden.push({ eventId, kind, json });
  }
}
