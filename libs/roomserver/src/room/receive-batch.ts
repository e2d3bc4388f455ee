import type { Kysely } from 'kysely';

import { type Pdu, referencedId, stateMapKey } from '@seneschal/matrix';

import {
  type KnownEvent,
  readKnownEvents,
  readRedactionsOf,
  type StoredRedaction,
} from '../storage/foreign-reads.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import type { StateAt, StateEntry } from './foreign-changes.ts';
import { mergeStates, stateAfter } from './fork-states.ts';
import { applyChanges } from './apply-changes.ts';
import {
  applyRedaction,
  authStateOf,
  hide,
  isRedactedWithin,
  redactedBefore,
  refusalBy,
  refusalByAuthEvents,
  referencesOf,
} from './receive.ts';
import type { RoomDraft } from './room-draft.ts';
import type { NewEvent, ReceivedEvent } from './room-event.ts';

type Db = Kysely<RoomserverTables>;
type Entries = ReadonlyMap<string, StateEntry>;

export type Verdict =
  | { outcome: 'accepted' | 'known' }
  | { outcome: 'rejected' | 'soft_failed'; reason: string }
  | { outcome: 'missing'; prevEvents: string[]; authEvents: string[] };

/** More forward extremities than this are not kept: the oldest go. */
export const maximumExtremities = 10;

/**
 * Receives events of other servers, in their order, into a draft (server-server API, "Checks performed on receipt of a
 * PDU"; signatures and hashes come before). Answers a verdict for each, up to the first that has to wait until what was
 * drafted before it is stored.
 */
export async function receiveBatch(
  db: Db,
  draft: RoomDraft,
  events: readonly (ReceivedEvent & { stateBefore?: readonly string[] | undefined })[],
): Promise<Verdict[]> {
  const { roomId: id, version } = draft.room;
  const wanted = events.flatMap((event) => [
    event.eventId,
    ...referencesOf(event.pdu, { id, version }),
    ...draft.forwardExtremities,
  ]);
  const known = await readKnownEvents(db, wanted);
  const ids = events.map(({ eventId }) => eventId);
  const redactions = await readRedactionsOf(db, draft.room.roomNid, ids);
  const verdicts: Verdict[] = [];
  for (const event of events) {
    const verdict = await new Reception(db, draft, known, redactions).receive(event, event.stateBefore);
    if (verdict === undefined) break;
    verdicts.push(verdict);
    if (verdict.outcome === 'accepted') known.set(event.eventId, drafted(draft, event));
    if (draft.foreign.hidden.length > 0 || draft.foreign.overrides.length > 0) break;
  }
  return verdicts;
}

/** An event of the draft, whose state is the room's just before it. */
function drafted(draft: RoomDraft, { eventId, pdu, json }: ReceivedEvent): KnownEvent {
  const { roomNid } = draft.room;
  return { eventId, roomNid, pdu, json, position: undefined, kind: 'timeline', before: undefined };
}

class Reception {
  readonly #db: Db;
  readonly #draft: RoomDraft;
  readonly #known: Map<string, KnownEvent>;
  readonly #redactions: ReadonlyMap<string, StoredRedaction[]>;

  constructor(
    db: Db,
    draft: RoomDraft,
    known: Map<string, KnownEvent>,
    redactions: ReadonlyMap<string, StoredRedaction[]>,
  ) {
    this.#db = db;
    this.#draft = draft;
    this.#known = known;
    this.#redactions = redactions;
  }

  /** Undefined when the event has to wait for what the draft holds. */
  async receive(event: ReceivedEvent, stateBefore?: readonly string[]): Promise<Verdict | undefined> {
    const same = this.#known.get(event.eventId);
    if (same !== undefined && (same.kind !== 'outlier' || same.position !== undefined)) {
      return verdictOn(same, this.#draft);
    }
    if (isRedactedWithin(this.#draft, event)) return undefined;
    const missing = this.#missing(event.pdu, stateBefore !== undefined);
    if (missing !== undefined) return missing;
    const refusal = refusalByAuthEvents(event.pdu, this.#draft, this.#known);
    const isNext = refusal === undefined && stateBefore === undefined && this.#isNext(event.pdu);
    if (isNext) {
      const reason = refusalBy(event.pdu, this.#draft, this.#draft.authState);
      if (reason === undefined) return this.#append(event);
    }
    if (!this.#draft.isEmpty) return undefined;
    const before = await this.#before(event.pdu, stateBefore);
    if (refusal !== undefined) {
      hide(this.#draft, event, 'rejected', before);
      return { outcome: 'rejected', reason: refusal };
    }
    return this.#judge(event, before);
  }

  /** What the server has to have first. An outlier among the parents is as good as none: its state is not known. */
  #missing(pdu: Pdu, hasState: boolean): Verdict | undefined {
    const parents = pdu.prev_events.map(referencedId);
    const prevEvents = hasState ? [] : parents.filter((eventId) => !this.#hasState(eventId));
    const authEvents = pdu.auth_events.map(referencedId).filter((eventId) => !this.#known.has(eventId));
    if (prevEvents.length + authEvents.length === 0) return undefined;
    return { outcome: 'missing', prevEvents, authEvents };
  }

  #hasState(eventId: string): boolean {
    const event = this.#known.get(eventId);
    if (event?.roomNid !== this.#draft.room.roomNid) return false;
    return event.kind !== 'outlier' || event.before !== undefined;
  }

  /** Whether the event follows everything that there is: then its state is the present one. */
  #isNext(pdu: Pdu): boolean {
    const parents = new Set(pdu.prev_events.map(referencedId));
    const ends = this.#draft.forwardExtremities;
    return parents.size === ends.length && ends.every((eventId) => parents.has(eventId));
  }

  #append(event: ReceivedEvent): Verdict {
    const stored = this.#admit(event);
    this.#draft.setExtremities([event.eventId], event.pdu.depth, new Map([[event.eventId, event.pdu]]));
    applyRedaction(this.#draft, stored, this.#known);
    return { outcome: 'accepted' };
  }

  /** What was an outlier has its place in the history now. */
  #admit(event: ReceivedEvent): NewEvent {
    if (this.#known.get(event.eventId)?.kind === 'outlier') this.#draft.foreign.shown.push(event.eventId);
    const redactions = this.#redactions.get(event.eventId) ?? [];
    return this.#draft.admit(redactedBefore(this.#draft, event, redactions));
  }

  /** The state before an event, as what it differs in from the present one. */
  async #before(pdu: Pdu, given: readonly string[] | undefined): Promise<Entries> {
    const states =
      given === undefined
        ? pdu.prev_events.map((one) => this.#after(referencedId(one)))
        : [await this.#givenState(given)];
    const entries = await mergeStates(
      this.#db,
      this.#room,
      states.filter((one) => one !== undefined),
    );
    await this.#load(entries);
    return entries;
  }

  get #room(): Parameters<typeof mergeStates>[1] {
    return this.#draft.room;
  }

  #after(eventId: string): StateAt | undefined {
    const event = this.#known.get(eventId);
    return event === undefined ? undefined : stateAfter(event);
  }

  /** A whole state that another server told: nothing of ours shows through. */
  async #givenState(eventIds: readonly string[]): Promise<StateAt> {
    for (const [eventId, event] of await readKnownEvents(this.#db, eventIds)) this.#known.set(eventId, event);
    const changes = new Map<string, StateEntry>();
    for (const eventId of eventIds) {
      const event = this.#known.get(eventId);
      const stateKey = event?.pdu.state_key;
      if (event === undefined || stateKey === undefined || event.kind === 'rejected') continue;
      changes.set(stateMapKey(event.pdu.type, stateKey), { type: event.pdu.type, stateKey, eventId });
    }
    return { base: 0, changes };
  }

  async #load(entries: Entries): Promise<void> {
    const ids = [...entries.values()].flatMap(({ eventId }) => eventId ?? []);
    const missing = ids.filter((eventId) => !this.#known.has(eventId));
    for (const [eventId, event] of await readKnownEvents(this.#db, missing)) this.#known.set(eventId, event);
  }

  async #judge(event: ReceivedEvent, before: Entries): Promise<Verdict> {
    const draft = this.#draft;
    const refusal = refusalBy(event.pdu, draft, authStateOf(draft, before, this.#known));
    if (refusal !== undefined) {
      hide(draft, event, 'rejected', before);
      return { outcome: 'rejected', reason: refusal };
    }
    const objection = refusalBy(event.pdu, draft, draft.authState);
    if (objection !== undefined) {
      hide(draft, event, 'soft_failed', before);
      return { outcome: 'soft_failed', reason: objection };
    }
    await this.#accept(event, before);
    return { outcome: 'accepted' };
  }

  async #accept(event: ReceivedEvent, before: Entries): Promise<void> {
    const draft = this.#draft;
    const { eventId, pdu } = event;
    const { lastPosition: base, roomNid } = draft.room;
    const kept = this.#extremitiesBeside(pdu);
    const json = event.json;
    const own: KnownEvent = {
      eventId,
      roomNid,
      pdu,
      json,
      position: undefined,
      kind: 'superseded',
      before: { base, changes: before },
    };
    const states = [...kept.map((one) => this.#after(one)), stateAfter(own)].filter(
      (one) => one !== undefined,
    );
    const changes = await mergeStates(this.#db, this.#room, states, [own]);
    await this.#load(changes);
    await applyChanges(this.#db, draft, { changes, known: this.#known, ownId: eventId });
    const key = pdu.state_key === undefined ? undefined : stateMapKey(pdu.type, pdu.state_key);
    if (key !== undefined && changes.get(key)?.eventId !== eventId) {
      hide(draft, event, 'superseded', before);
    } else {
      // Only when the present state is this event's own need it not be noted.
      if (before.size > 0 || !draft.isEmpty) {
        draft.foreign.states.push({ eventId, before: { base, changes: before } });
      }
      applyRedaction(draft, this.#admit(event), this.#known);
    }
    const ends = [...kept, eventId];
    const pdus = ends.flatMap((one) => [
      ...(this.#known.has(one) ? [[one, this.#known.get(one)?.pdu] as const] : []),
    ]);
    draft.setExtremities(
      ends,
      pdu.depth,
      new Map(pdus.filter((one): one is [string, Pdu] => one[1] !== undefined)),
    );
  }

  #extremitiesBeside(pdu: Pdu): string[] {
    const parents = new Set(pdu.prev_events.map(referencedId));
    const beside = this.#draft.forwardExtremities.filter((eventId) => !parents.has(eventId));
    return beside.slice(-(maximumExtremities - 1));
  }
}

function verdictOn(event: KnownEvent, draft: RoomDraft): Verdict {
  if (event.roomNid !== draft.room.roomNid) {
    return { outcome: 'rejected', reason: 'Another event has this ID' };
  }
  return event.kind === 'rejected'
    ? { outcome: 'rejected', reason: 'The event was rejected before' }
    : { outcome: 'known' };
}
