import type { Kysely } from 'kysely';

import type { StateChange } from '@seneschal/contracts';
import { stateMapKey } from '@seneschal/matrix';

import { entriesAsOf, type KnownEvent, readKnownEvents } from '../storage/foreign-reads.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { applyChanges } from './apply-changes.ts';
import type { StateAt, StateEntry } from './foreign-changes.ts';
import { mergeStates } from './fork-states.ts';
import { hideTheRest } from './joined-state.ts';
import { judgeOutliers } from './outliers.ts';
import type { RoomDraft } from './room-draft.ts';
import type { ReceivedEvent } from './room-event.ts';

type Db = Kysely<RoomserverTables>;

export interface ToldStates {
  /** The state before an event of the room, by event IDs. */
  states: readonly { before: string; state: readonly string[] }[];
  events: readonly ReceivedEvent[];
}

export interface MergedState {
  changes: StateChange[];
  /** What is not believed, and why, by event ID. */
  refused: Map<string, string>;
  newEvents: number;
}

/**
 * Makes the resolution of the room's present state and of states that another server told the room's state, as if the
 * other server had sent an event after those that it was asked about: what happened here meanwhile is a branch beside
 * theirs. The forward extremities stay.
 */
export async function mergeTold(db: Db, draft: RoomDraft, told: ToldStates): Promise<MergedState> {
  const { known, kinds, refused } = await judgeOutliers(db, draft, told.events);
  const ends = told.states.map(({ before }) => before).filter((eventId) => !known.has(eventId));
  for (const [eventId, event] of await readKnownEvents(db, ends)) known.set(eventId, event);
  const present: StateAt = { base: draft.room.lastPosition, changes: new Map() };
  const states = told.states.map((one) => stateAfter(one, known, draft.room.roomNid));
  const unstored = [...kinds.keys()].flatMap((eventId) => known.get(eventId) ?? []);
  const changes = await mergeStates(db, draft.room, [present, ...states], unstored);
  const missing = [...changes.values()].flatMap(({ eventId }) => eventId ?? []);
  for (const [eventId, event] of await readKnownEvents(
    db,
    missing.filter((one) => !known.has(one)),
  )) {
    known.set(eventId, event);
  }
  const listed = await listChanges(db, draft, changes);
  await applyChanges(db, draft, { changes, known, ownId: '' });
  hideTheRest(draft, told.events, { known, kinds, refused });
  return { changes: listed, refused, newEvents: kinds.size };
}

/** A whole state as it was told, of what is believed of it, with the event itself that it was told of. */
function stateAfter(
  { before, state }: ToldStates['states'][number],
  known: ReadonlyMap<string, KnownEvent>,
  roomNid: number,
): StateAt {
  const changes = new Map<string, StateEntry>();
  for (const eventId of [...state, before]) {
    const event = known.get(eventId);
    const stateKey = event?.pdu.state_key;
    if (event?.roomNid !== roomNid || stateKey === undefined || event.kind === 'rejected') continue;
    const { type } = event.pdu;
    changes.set(stateMapKey(type, stateKey), { type, stateKey, eventId });
  }
  return { base: 0, changes };
}

async function listChanges(
  db: Db,
  { room: { roomNid, lastPosition } }: RoomDraft,
  changes: ReadonlyMap<string, StateEntry>,
): Promise<StateChange[]> {
  const present = await entriesAsOf(db, roomNid, lastPosition, [...changes.values()]);
  return [...changes].map(([key, { type, stateKey, eventId }]) => ({
    ...{ type, stateKey },
    before: present.get(key)?.eventId ?? null,
    after: eventId,
  }));
}
