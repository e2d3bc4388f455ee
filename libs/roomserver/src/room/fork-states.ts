import type { Kysely } from 'kysely';

import {
  resolveState,
  type ResolutionEvent,
  type RoomVersion,
  referencedId,
  stateMapKey,
} from '@seneschal/matrix';

import {
  entriesAsOf,
  entriesChangedSince,
  type KnownEvent,
  readKnownEvents,
  stateAsOf,
} from '../storage/foreign-reads.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import type { StateAt, StateEntry } from './foreign-changes.ts';

type Db = Kysely<RoomserverTables>;
type Entries = Map<string, StateEntry>;

/** The room whose states are compared, as it is after its last event. */
export interface ForkedRoom {
  roomNid: number;
  roomId: string;
  version: RoomVersion;
  lastPosition: number;
}

/** Levels of auth events that are followed at the most: a chain of any real room is far shorter. */
const maximumRounds = 200;

/** The state before an event; undefined when it is not known. */
export function stateBefore(event: KnownEvent): StateAt | undefined {
  if (event.before !== undefined) return event.before;
  if (event.kind !== 'timeline' || event.position === undefined) return undefined;
  return { base: event.position - 1, changes: new Map() };
}

/** The state after an event: a rejected one changes nothing. Undefined when it is not known. */
export function stateAfter(event: KnownEvent): StateAt | undefined {
  const before = stateBefore(event);
  const { type, state_key: stateKey } = event.pdu;
  if (before === undefined || stateKey === undefined || event.kind === 'rejected') return before;
  const entry = { type, stateKey, eventId: event.eventId };
  return { base: before.base, changes: new Map([...before.changes, [stateMapKey(type, stateKey), entry]]) };
}

/**
 * The resolution of states, as the entries in which it differs from the room's present state. States that are alike,
 * as they are when only messages were sent in parallel, are not looked at any further.
 * @param unstored events of these states that are not stored yet
 */
export async function mergeStates(
  db: Db,
  room: ForkedRoom,
  states: readonly StateAt[],
  unstored: Iterable<KnownEvent> = [],
): Promise<Entries> {
  const differences = await differencesFrom(db, room, states);
  const [first = new Map<string, StateEntry>()] = differences;
  if (differences.every((one) => isAlike(one, first))) return first;
  return resolveFully(db, room, differences, unstored);
}

/** Each state as what it differs in from the present one. */
async function differencesFrom(db: Db, room: ForkedRoom, states: readonly StateAt[]): Promise<Entries[]> {
  const { roomNid, lastPosition } = room;
  const earlier = new Map<number, Entries>();
  for (const { base } of states) {
    if (base >= lastPosition || earlier.has(base)) continue;
    earlier.set(base, await entriesChangedSince(db, roomNid, base, lastPosition));
  }
  const all = states.map(({ base, changes }) => new Map([...(earlier.get(base) ?? []), ...changes]));
  const present = await entriesAsOf(db, roomNid, lastPosition, [
    ...new Map(all.flatMap((one) => [...one])).values(),
  ]);
  for (const entries of all) {
    for (const [key, { eventId }] of entries) {
      if (present.get(key)?.eventId === eventId) entries.delete(key);
    }
  }
  return all;
}

function isAlike(one: Entries, other: Entries): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([key, { eventId }]) => other.get(key)?.eventId === eventId && other.has(key));
}

async function resolveFully(
  db: Db,
  room: ForkedRoom,
  differences: readonly Entries[],
  unstored: Iterable<KnownEvent>,
): Promise<Entries> {
  const present = await stateAsOf(db, room.roomNid, room.lastPosition);
  const states = differences.map((entries) => idsOf(new Map([...present, ...entries])));
  const source = new EventSource(db, unstored);
  await source.load(differences.flatMap((one) => [...one.values()].flatMap(({ eventId }) => eventId ?? [])));
  let resolved = new Map<string, string>();
  for (let isDone = false; !isDone;) {
    resolved = resolveState({ ...room, states, eventOf: (eventId) => source.eventOf(eventId) });
    isDone = !(await source.loadMissed());
  }
  const kinds = new Map([...present, ...differences.flatMap((one) => [...one])]);
  return differenceOf(resolved, present, kinds);
}

function idsOf(entries: Entries): Map<string, string> {
  return new Map([...entries].flatMap(([key, { eventId }]) => (eventId === null ? [] : [[key, eventId]])));
}

function differenceOf(resolved: ReadonlyMap<string, string>, present: Entries, kinds: Entries): Entries {
  const changes: Entries = new Map();
  for (const [key, { type, stateKey }] of kinds) {
    const eventId = resolved.get(key) ?? null;
    if (eventId !== (present.get(key)?.eventId ?? null)) changes.set(key, { type, stateKey, eventId });
  }
  return changes;
}

/** Events for the resolution, which asks for them one by one: what it missed is loaded, and it is run again. */
class EventSource {
  readonly #db: Db;
  readonly #events = new Map<string, ResolutionEvent | undefined>();
  readonly #missed = new Set<string>();

  constructor(db: Db, unstored: Iterable<KnownEvent>) {
    this.#db = db;
    for (const { eventId, pdu, kind } of unstored) {
      this.#events.set(eventId, { eventId, pdu, isRejected: kind === 'rejected' });
    }
  }

  eventOf(eventId: string): ResolutionEvent | undefined {
    if (!this.#events.has(eventId)) this.#missed.add(eventId);
    return this.#events.get(eventId);
  }

  /** Loads events with their auth chains, a level a query. */
  async load(eventIds: readonly string[]): Promise<void> {
    let wanted = eventIds.filter((eventId) => !this.#events.has(eventId));
    for (let round = 0; round < maximumRounds && wanted.length > 0; round += 1) {
      const found = await readKnownEvents(this.#db, wanted);
      for (const eventId of wanted) {
        const event = found.get(eventId);
        this.#events.set(
          eventId,
          event && { eventId, pdu: event.pdu, isRejected: event.kind === 'rejected' },
        );
      }
      const parents = [...found.values()].flatMap(({ pdu }) => pdu.auth_events.map(referencedId));
      wanted = [...new Set(parents)].filter((eventId) => !this.#events.has(eventId));
    }
  }

  /** Loads what was asked for in vain; false when that was nothing. */
  async loadMissed(): Promise<boolean> {
    if (this.#missed.size === 0) return false;
    const missed = [...this.#missed];
    this.#missed.clear();
    await this.load(missed);
    return true;
  }
}
