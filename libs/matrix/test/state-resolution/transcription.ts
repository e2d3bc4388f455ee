import { createHash } from 'node:crypto';

import {
  authorise,
  parsePowerLevels,
  referencedId,
  stateMapKey,
  userPowerLevel,
  type Pdu,
  type ResolutionEvent,
  type ResolutionInput,
} from '../../src/index.ts';

/*
 * State resolution written down from the specification sentence by sentence, without regard for speed, for comparison.
 * The one reading beyond the text: a state's full auth chain has the state's own events in it.
 */

type State = Map<string, string>;

export function transcribed(input: ResolutionInput): State {
  return input.version.stateResolution === '1' ? algorithm1(input) : new Algorithm2(input).resolve();
}

const keyOf = ({ pdu }: ResolutionEvent): string => stateMapKey(pdu.type, pdu.state_key ?? '');
const isType = (event: ResolutionEvent | undefined, type: string): boolean =>
  event?.pdu.type === type && event.pdu.state_key === '';

function isAllowed(
  event: ResolutionEvent,
  { version, roomId }: ResolutionInput,
  find: (type: string, stateKey: string) => Pdu | undefined,
): boolean {
  try {
    authorise(event.pdu, roomId, { get: find }, version, { joinAuthorisedSignatureValid: true });
    return true;
  } catch {
    return false;
  }
}

function algorithm1(input: ResolutionInput): State {
  const { states, eventOf } = input;
  const sha1 = (id: string) => createHash('sha1').update(id).digest('hex');
  const keys = new Set(states.flatMap((state) => [...state.keys()]));
  const result: State = new Map();
  const conflicts = new Map<string, ResolutionEvent[]>();
  for (const key of keys) {
    const ids = [...new Set(states.map((state) => state.get(key)).filter((id) => id !== undefined))];
    if (ids.length === 1) result.set(key, ids[0]!);
    // Sort the list by ascending depth then descending sha1(event_id).
    else {
      const list = ids.map((id) => eventOf(id)!);
      list.sort((x, y) => x.pdu.depth - y.pdu.depth || (sha1(x.eventId) > sha1(y.eventId) ? -1 : 1));
      conflicts.set(key, list);
    }
  }
  const allowedIn = (event: ResolutionEvent, state: State) =>
    isAllowed(event, input, (type, stateKey) => {
      const id = state.get(stateMapKey(type, stateKey));
      return id === undefined ? undefined : eventOf(id)?.pdu;
    });
  for (const type of ['m.room.power_levels', 'm.room.join_rules', 'm.room.member']) {
    const found: State = new Map();
    for (const [key, list] of conflicts) {
      if (list[0]!.pdu.type !== type) continue;
      const state = new Map(result);
      for (const [index, event] of list.entries()) {
        if (index > 0 && !allowedIn(event, state)) break;
        state.set(key, event.eventId);
        found.set(key, event.eventId);
      }
      conflicts.delete(key);
    }
    for (const [key, id] of found) result.set(key, id);
  }
  const found: State = new Map();
  for (const [key, list] of conflicts) {
    const event = [...list].reverse().find((one) => allowedIn(one, result));
    if (event !== undefined) found.set(key, event.eventId);
  }
  return new Map([...result, ...found]);
}

class Algorithm2 {
  readonly #input: ResolutionInput;
  readonly #is21: boolean;

  constructor(input: ResolutionInput) {
    this.#input = input;
    this.#is21 = input.version.stateResolution === '2.1';
  }

  resolve(): State {
    const { states } = this.#input;
    const unconflicted: State = new Map();
    const conflicted = new Set<string>();
    for (const key of new Set(states.flatMap((state) => [...state.keys()]))) {
      const values = states.map((state) => state.get(key));
      if (values.every((id) => id !== undefined && id === values[0])) unconflicted.set(key, values[0]!);
      else for (const id of values) if (id !== undefined) conflicted.add(id);
    }
    const full = new Set([...conflicted, ...this.#authDifference()]);
    if (this.#is21) for (const id of this.#subgraph(conflicted)) full.add(id);

    // 1. Select the set X of all power events, enlarged by their auth chains in the full conflicted set.
    const x = new Set([...full].filter((id) => this.#isPowerEvent(id)));
    for (const power of [...x]) for (const id of this.#chain(power)) if (full.has(id)) x.add(id);
    // 2. Apply the iterative auth checks.
    const partial = this.#check(this.#is21 ? new Map() : unconflicted, this.#powerOrder(x));
    // 3. Order the remaining events by the mainline ordering.
    const rest = [...full].filter((id) => !x.has(id));
    const ordered = this.#mainlineOrder(rest, partial.get(stateMapKey('m.room.power_levels', '')));
    // 4. and 5.
    return new Map([...this.#check(partial, ordered), ...unconflicted]);
  }

  #event(id: string): ResolutionEvent {
    return this.#input.eventOf(id)!;
  }

  #auth(id: string): string[] {
    return this.#event(id).pdu.auth_events.map(referencedId);
  }

  #chain(id: string): Set<string> {
    const chain = new Set<string>();
    const add = (one: string): void => {
      for (const parent of this.#auth(one)) {
        if (chain.has(parent)) continue;
        chain.add(parent);
        add(parent);
      }
    };
    add(id);
    return chain;
  }

  #authDifference(): string[] {
    const chains = this.#input.states.map(
      (state) => new Set([...state.values()].flatMap((id) => [id, ...this.#chain(id)])),
    );
    const union = new Set(chains.flatMap((chain) => [...chain]));
    return [...union].filter((id) => !chains.every((chain) => chain.has(id)));
  }

  /** The union of all paths between any pair of events in the conflicted state set. */
  #subgraph(conflicted: ReadonlySet<string>): Set<string> {
    const found = new Set<string>();
    for (const from of conflicted) {
      for (const id of [from, ...this.#chain(from)]) {
        if ([id, ...this.#chain(id)].some((one) => conflicted.has(one))) found.add(id);
      }
    }
    return found;
  }

  #isPowerEvent(id: string): boolean {
    const { type, state_key: stateKey, sender, content } = this.#event(id).pdu;
    if (type === 'm.room.power_levels' || type === 'm.room.join_rules') return true;
    const isLeave = content['membership'] === 'leave' || content['membership'] === 'ban';
    return type === 'm.room.member' && isLeave && sender !== stateKey;
  }

  #create(id: string): ResolutionEvent | undefined {
    if (this.#input.version.roomIdIsCreateHash) return this.#input.eventOf(`$${this.#input.roomId.slice(1)}`);
    return this.#auth(id)
      .map((one) => this.#event(one))
      .find((event) => isType(event, 'm.room.create'));
  }

  #levelsOf(id: string): string | undefined {
    return this.#auth(id).find((one) => isType(this.#event(one), 'm.room.power_levels'));
  }

  #senderLevel(id: string): number {
    const levels = this.#levelsOf(id);
    const { version } = this.#input;
    const parsed =
      levels === undefined ? undefined : parsePowerLevels(this.#event(levels).pdu.content, version);
    return userPowerLevel(this.#event(id).pdu.sender, parsed, this.#create(id)!.pdu, version);
  }

  /** Whether x < y, in the reverse topological power ordering. */
  #isBefore(x: string, y: string): boolean {
    const [levelX, levelY] = [this.#senderLevel(x), this.#senderLevel(y)];
    if (levelX !== levelY) return levelX > levelY;
    return this.#isEarlier(x, y);
  }

  #isEarlier(x: string, y: string): boolean {
    const [timeX, timeY] = [this.#event(x).pdu.origin_server_ts, this.#event(y).pdu.origin_server_ts];
    return timeX === timeY ? x < y : timeX < timeY;
  }

  /** At each step the smallest of the candidates: those with no event of their auth chain left. */
  #powerOrder(events: ReadonlySet<string>): string[] {
    const left = new Set(events);
    const chains = new Map([...events].map((id) => [id, this.#chain(id)]));
    const ordered: string[] = [];
    while (left.size > 0) {
      const candidates = [...left].filter((id) => ![...chains.get(id)!].some((one) => left.has(one)));
      const next = candidates.reduce((x, y) => (this.#isBefore(y, x) ? y : x));
      ordered.push(next);
      left.delete(next);
    }
    return ordered;
  }

  #mainlineOrder(events: readonly string[], powerLevels: string | undefined): string[] {
    const lineOf = (id: string | undefined): string[] =>
      id === undefined ? [] : [id, ...lineOf(this.#levelsOf(id))];
    const mainline = lineOf(powerLevels);
    const position = (id: string): number => {
      const [, ...line] = lineOf(id);
      const found = line.find((one) => mainline.includes(one));
      return found === undefined ? Infinity : mainline.indexOf(found);
    };
    return [...events].sort((x, y) => {
      if (position(x) !== position(y)) return position(x) > position(y) ? -1 : 1;
      return this.#isEarlier(x, y) ? -1 : 1;
    });
  }

  #check(start: ReadonlyMap<string, string>, events: readonly string[]): State {
    const state = new Map(start);
    for (const id of events) {
      const event = this.#event(id);
      const find = (type: string, stateKey: string): Pdu | undefined => {
        const present = state.get(stateMapKey(type, stateKey));
        if (present !== undefined) return this.#event(present).pdu;
        const own = this.#auth(id).map((one) => this.#event(one));
        if (this.#input.version.roomIdIsCreateHash) own.push(this.#create(id)!);
        return own.find((one) => keyOf(one) === stateMapKey(type, stateKey) && one.isRejected !== true)?.pdu;
      };
      if (isAllowed(event, this.#input, find)) state.set(keyOf(event), id);
    }
    return state;
  }
}
