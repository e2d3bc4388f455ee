import {
  authorise,
  authTypes,
  buildEvent,
  roomVersion,
  stateMapKey,
  type JsonObject,
  type Pdu,
  type ResolutionEvent,
  type ResolutionInput,
  type RoomVersion,
} from '../../src/index.ts';
import { ALICE, BOB, CAROL, protoOf, SIGNER } from '../fixtures.ts';

export const DAVE = '@dave:there';
export const USERS = [ALICE, BOB, CAROL, DAVE];

export type State = ReadonlyMap<string, string>;

export interface Sketch {
  readonly sender: string;
  readonly type: string;
  readonly stateKey?: string;
  readonly content: JsonObject;
  /** Milliseconds; as clocks are wrong, it need not fit the place of the event. */
  readonly time?: number;
  /** Event IDs; the last event unless given. */
  readonly after?: readonly string[];
  /** Takes the event in although the state does not allow it, as a rejected one. */
  readonly evenIfRejected?: boolean;
}

type Resolve = (input: ResolutionInput) => State;

/** A room with forks: its events as they were received, and the state after each. */
export class ForkedRoom {
  readonly version: RoomVersion;
  readonly roomId: string;
  readonly createId: string;
  readonly events = new Map<string, ResolutionEvent>();
  readonly #after = new Map<string, State>();
  readonly #resolve: Resolve;
  #last: string;

  constructor(version: string, resolve: Resolve, createContent: JsonObject = {}) {
    this.version = roomVersion(version);
    this.#resolve = resolve;
    const content: JsonObject = { room_version: version, ...createContent };
    if (!this.version.implicitRoomCreator) content['creator'] = ALICE;
    const sketch = { type: 'm.room.create', sender: ALICE, state_key: '', content };
    const place = this.version.roomIdIsCreateHash ? {} : { room_id: '!forked:here' };
    const create = buildEvent({ ...protoOf(this.version, sketch), ...place }, this.version, SIGNER);
    this.roomId = create.roomId;
    this.createId = create.eventId;
    this.#last = create.eventId;
    this.events.set(create.eventId, { eventId: create.eventId, pdu: create.pdu });
    this.#after.set(create.eventId, new Map([[stateMapKey('m.room.create', ''), create.eventId]]));
  }

  get size(): number {
    return this.events.size;
  }

  get ids(): string[] {
    return [...this.events.keys()];
  }

  /** The last event that was not rejected. */
  get last(): string {
    return this.#last;
  }

  /** The state after an event. */
  after(eventId: string): State {
    return this.#after.get(eventId)!;
  }

  input(states: readonly State[]): ResolutionInput {
    const eventOf = (eventId: string) => this.events.get(eventId);
    return { version: this.version, roomId: this.roomId, states, eventOf };
  }

  /** The resolution of the states after the given events. */
  resolved(...eventIds: string[]): State {
    return this.#resolve(this.input(eventIds.map((eventId) => this.after(eventId))));
  }

  /** The event in a state. */
  at(state: State, type: string, stateKey = ''): string | undefined {
    return state.get(stateMapKey(type, stateKey));
  }

  /** Adds an event; undefined when the state before it does not allow it. */
  add(sketch: Sketch): string | undefined {
    const parents = sketch.after ?? [this.#last];
    const before = this.resolved(...parents);
    const pdu = this.#pdu(sketch, parents, before);
    const find = (type: string, stateKey: string): Pdu | undefined =>
      this.events.get(before.get(stateMapKey(type, stateKey)) ?? '')?.pdu;
    let isRejected = false;
    try {
      authorise(pdu, this.roomId, { get: find }, this.version);
    } catch {
      if (sketch.evenIfRejected !== true) return undefined;
      isRejected = true;
    }
    const eventId = `$e${String(this.size).padStart(4, '0')}`;
    this.events.set(eventId, { eventId, pdu, isRejected });
    const isState = sketch.stateKey !== undefined && !isRejected;
    const change: [string, string][] = isState
      ? [[stateMapKey(sketch.type, sketch.stateKey ?? ''), eventId]]
      : [];
    this.#after.set(eventId, new Map([...before, ...change]));
    if (!isRejected) this.#last = eventId;
    return eventId;
  }

  #pdu({ sender, type, stateKey, content, time }: Sketch, parents: readonly string[], before: State): Pdu {
    const subject = { type, sender, content, state_key: stateKey };
    const refer = (eventId: string) =>
      this.version.eventReferences === 'ids' ? eventId : ([eventId, {}] as [string, Record<string, string>]);
    const auth = authTypes(subject, this.version).map(([one, key]) => before.get(stateMapKey(one, key)));
    return {
      type,
      sender,
      content,
      ...(stateKey === undefined ? {} : { state_key: stateKey }),
      room_id: this.roomId,
      origin_server_ts: time ?? this.size * 1000,
      depth: Math.max(...parents.map((id) => this.events.get(id)!.pdu.depth)) + 1,
      prev_events: parents.map(refer),
      auth_events: auth.filter((id) => id !== undefined).map(refer),
      hashes: { sha256: '' },
      signatures: {},
    };
  }
}

/** A room that Alice made, with power levels, a join rule, and the given users in it. */
export function openRoom(
  version: string,
  resolve: Resolve,
  members: readonly string[] = [],
  levels: Record<string, number> = {},
): ForkedRoom {
  const room = new ForkedRoom(version, resolve);
  const own = room.version.privilegedCreators ? {} : { [ALICE]: 100 };
  must(room, member(ALICE, 'join'));
  must(room, powerLevels(ALICE, { ...own, ...levels }));
  must(room, joinRules(ALICE, 'public'));
  for (const user of members) must(room, member(user, 'join'));
  return room;
}

export function must(room: ForkedRoom, sketch: Sketch): string {
  const eventId = room.add(sketch);
  if (eventId === undefined) throw new Error(`${sketch.type} of ${sketch.sender} is not allowed`);
  return eventId;
}

export const member = (user: string, membership: string, sender = user): Sketch => ({
  sender,
  type: 'm.room.member',
  stateKey: user,
  content: { membership },
});
export const powerLevels = (
  sender: string,
  users: Record<string, number>,
  more: JsonObject = {},
): Sketch => ({
  sender,
  type: 'm.room.power_levels',
  stateKey: '',
  content: { users, ...more },
});
export const joinRules = (sender: string, rule: string): Sketch => ({
  sender,
  type: 'm.room.join_rules',
  stateKey: '',
  content: { join_rule: rule },
});
export const topic = (sender: string, text: string): Sketch => ({
  sender,
  type: 'm.room.topic',
  stateKey: '',
  content: { topic: text },
});
