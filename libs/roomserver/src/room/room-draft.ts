import type { Membership } from '@seneschal/contracts';
import {
  authorise,
  authTypes,
  buildEvent,
  newEventId,
  type AuthState,
  type JsonObject,
  type Pdu,
  type ProtoEvent,
  type RoomVersion,
  type Signer,
} from '@seneschal/matrix';

import { ForeignChanges } from './foreign-changes.ts';
import { demandIntegerLevels } from './integer-levels.ts';
import { referTo } from './references.ts';
import type { Member, NewEvent, ReceivedEvent, RedactionTarget, RoomEvent } from './room-event.ts';

/** A room as it was read. */
export interface RoomSnapshot {
  readonly roomNid: number;
  readonly roomId: string;
  readonly version: RoomVersion;
  readonly forwardExtremities: readonly string[];
  /** The forward extremities themselves where the room version wants their hashes (1 and 2); unreadable ones are absent. */
  readonly extremityEvents?: ReadonlyMap<string, Pdu>;
  readonly depth: number;
  /** Position of the room's last event; 0 for a room that has none yet. */
  readonly lastPosition: number;
  /** Local users may not come in while a room is blocked. */
  readonly isBlocked: boolean;
  /** Being deleted or restored: nothing else may write to it. */
  readonly isClosed?: boolean;
  /** Everything but memberships, by `stateKeyOf`. */
  readonly state: ReadonlyMap<string, RoomEvent>;
}

export interface EventInput {
  type: string;
  sender: string;
  stateKey?: string;
  content: JsonObject;
  /** Room versions before 11 name the redacted event beside the content. */
  redacts?: string;
}

export interface MembershipChange {
  userId: string;
  previous: Membership | null;
  membership: Membership;
}

/** More prev_events than this are not allowed (room version 3 and later). */
const maximumPrevEvents = 20;

const memberships: ReadonlySet<string> = new Set(['join', 'invite', 'knock', 'leave', 'ban']);

export function stateKeyOf(type: string, stateKey: string): string {
  return `${type}\0${stateKey}`;
}

/**
 * A room as it was read, with the events that are to be added. Each one is authorised against the state that
 * those before it produce, and names the one before as its only prev_event: a chain, so the room has one
 * forward extremity afterwards. Pure: nothing is read or stored here.
 */
export class RoomDraft {
  readonly room: RoomSnapshot;
  readonly events: NewEvent[] = [];
  readonly membershipChanges: MembershipChange[] = [];
  readonly redactions: { target: RedactionTarget; by: NewEvent }[] = [];
  /** What events of other servers change beside adding to the room. */
  readonly foreign = new ForeignChanges();
  readonly #signer: Signer;
  readonly #now: () => number;
  readonly #state: Map<string, RoomEvent>;
  readonly #members = new Map<string, Member | undefined>();
  readonly #changedState = new Map<string, NewEvent>();
  #extremities: readonly string[];
  #extremityEvents: ReadonlyMap<string, Pdu> | undefined;
  #depth: number;

  constructor(room: RoomSnapshot, signer: Signer, now: () => number = Date.now) {
    this.room = room;
    this.#signer = signer;
    this.#now = now;
    this.#state = new Map(room.state);
    this.#extremities = room.forwardExtremities;
    this.#extremityEvents = room.extremityEvents;
    this.#depth = room.depth;
  }

  get forwardExtremities(): readonly string[] {
    return this.#extremities;
  }

  get depth(): number {
    return this.#depth;
  }

  get state(): ReadonlyMap<string, RoomEvent> {
    return this.#state;
  }

  /** The state, memberships apart, that this draft sets. */
  get changedState(): NewEvent[] {
    return [...this.#changedState.values()];
  }

  /** Of the texts of the events. */
  get bytes(): number {
    return this.events.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
  }

  /** Whether a cache of the state, memberships apart, is out of date once this is stored. */
  get isStateChanged(): boolean {
    return (
      this.#changedState.size > 0 ||
      this.foreign.overrides.length > 0 ||
      this.redactions.some(({ target }) => target.event.pdu.state_key !== undefined)
    );
  }

  /** Tells the draft what users are; `undefined` for one who never was anything. */
  setMember(userId: string, member: Member | undefined): void {
    this.#members.set(userId, member);
  }

  /** What a user is. The user must have been loaded: a forgotten load would look like a stranger. */
  member(userId: string): Member | undefined {
    if (!this.#members.has(userId)) throw new Error('The membership of a user was not loaded.');
    return this.#members.get(userId);
  }

  membership(userId: string): Membership | undefined {
    return this.member(userId)?.membership;
  }

  stateEvent(type: string, stateKey = ''): RoomEvent | undefined {
    return type === 'm.room.member'
      ? this.member(stateKey)?.event
      : this.#state.get(stateKeyOf(type, stateKey));
  }

  /** The state as the authorisation rules read it. */
  readonly authState: AuthState = {
    get: (type, stateKey): Pdu | undefined => this.stateEvent(type, stateKey)?.pdu,
  };

  /**
   * Adds an event. Throws M_FORBIDDEN, and leaves the draft as it was, when the room does not allow it, M_BAD_JSON when
   * it is none of this room version.
   * @param options.isForced skips the authorisation rules: for leaving a room whose state is damaged
   */
  append(input: EventInput, options: { isForced?: boolean } = {}): NewEvent {
    const proto = this.#protoEvent(input);
    if (options.isForced !== true) {
      const unsigned: Pdu = { ...proto, hashes: { sha256: '' }, signatures: {} };
      authorise(unsigned, this.room.roomId, this.authState, this.room.version, {
        joinAuthorisedSignatureValid: true,
      });
    }
    demandIntegerLevels(input, this.room.version);
    const built = buildEvent(proto, this.room.version, this.#signer);
    const event: NewEvent = {
      eventId: built.eventId,
      pdu: built.pdu,
      json: built.json,
      position: undefined,
      replaces: input.stateKey === undefined ? undefined : this.stateEvent(input.type, input.stateKey),
    };
    this.events.push(event);
    this.#extremities = [event.eventId];
    this.#extremityEvents = new Map([[event.eventId, event.pdu]]);
    this.#depth = proto.depth;
    if (input.stateKey !== undefined) this.#setState(input.type, input.stateKey, event);
    return event;
  }

  /** Adds an event of another server, which the caller has authorised; `setExtremities` is the caller's, too. */
  admit({ eventId, pdu, json, redactedBy }: ReceivedEvent, isOutlier = false): NewEvent {
    const { type, state_key: stateKey } = pdu;
    const replaces = stateKey === undefined ? undefined : this.stateEvent(type, stateKey);
    const event: NewEvent = { eventId, pdu, json, position: undefined, replaces, redactedBy, isOutlier };
    this.events.push(event);
    if (stateKey !== undefined) this.#setState(type, stateKey, event);
    return event;
  }

  /** Makes an event that is stored already the state again, or leaves none. */
  override(type: string, stateKey: string, event: RoomEvent | undefined): void {
    this.foreign.overrides.push({ type, stateKey, event });
    const key = stateKeyOf(type, stateKey);
    if (type === 'm.room.member') this.#setMember(stateKey, event);
    else if (event === undefined) this.#state.delete(key);
    else this.#state.set(key, event);
  }

  /** @param events the extremities themselves, for room versions that want their hashes */
  setExtremities(eventIds: readonly string[], depth: number, events: ReadonlyMap<string, Pdu>): void {
    this.#extremities = eventIds;
    this.#extremityEvents = events;
    this.#depth = Math.max(this.#depth, Math.min(depth, Number.MAX_SAFE_INTEGER - 1));
  }

  /** Whether there is nothing to store. */
  get isEmpty(): boolean {
    return this.events.length === 0 && this.foreign.isEmpty;
  }

  redact(target: RedactionTarget, by: NewEvent): void {
    this.redactions.push({ target, by });
  }

  #protoEvent(input: EventInput): ProtoEvent {
    const { version, roomId } = this.room;
    const subject = {
      type: input.type,
      sender: input.sender,
      content: input.content,
      ...(input.stateKey === undefined ? {} : { state_key: input.stateKey }),
      ...(input.type === 'm.room.create' && version.roomIdIsCreateHash ? {} : { room_id: roomId }),
    };
    return {
      ...subject,
      ...(version.eventIdFormat === 'in-event' ? { event_id: newEventId(this.#signer.serverName) } : {}),
      ...(input.redacts === undefined ? {} : { redacts: input.redacts }),
      origin_server_ts: this.#now(),
      prev_events: this.#extremities
        .slice(0, maximumPrevEvents)
        .map((eventId) => referTo(eventId, this.#extremityEvents?.get(eventId), version)),
      auth_events: authTypes(subject, version)
        .map(([type, stateKey]) => this.stateEvent(type, stateKey))
        .filter((event) => event !== undefined)
        .map((event) => referTo(event.eventId, event.pdu, version)),
      depth: Math.min(this.#depth + 1, Number.MAX_SAFE_INTEGER),
    };
  }

  #setState(type: string, stateKey: string, event: NewEvent): void {
    if (type !== 'm.room.member') {
      const key = stateKeyOf(type, stateKey);
      this.#state.set(key, event);
      this.#changedState.set(key, event);
      return;
    }
    this.#setMember(stateKey, event);
  }

  #setMember(userId: string, event: RoomEvent | undefined): void {
    const claimed = event?.pdu.content['membership'];
    const membership = (
      typeof claimed === 'string' && memberships.has(claimed) ? claimed : 'leave'
    ) as Membership;
    this.membershipChanges.push({ userId, previous: this.membership(userId) ?? null, membership });
    this.#members.set(userId, event === undefined ? undefined : { membership, event });
  }
}
