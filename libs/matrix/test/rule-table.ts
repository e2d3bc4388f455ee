import {
  authorise,
  supportedRoomVersions,
  type AuthoriseOptions,
  type JsonObject,
  type Pdu,
} from '../src/index.ts';
import { ALICE, BOB, CAROL, failure, TestRoom } from './fixtures.ts';

export const ALL = [...supportedRoomVersions];
/** The versions from the first to the last, both included. */
export const versions = (first: number, last: number): string[] =>
  ALL.filter((id) => first <= Number(id) && Number(id) <= last);
export const DAVE = '@dave:here';
const forbidden = failure('M_FORBIDDEN');

export interface Case {
  readonly name: string;
  readonly allowed: boolean;
  readonly room?: (room: TestRoom) => TestRoom;
  readonly event: (room: TestRoom) => Pdu;
  readonly options?: AuthoriseOptions;
  readonly versions?: readonly string[];
  /** The first version of which this is true; in those before, the verdict is the other one. */
  readonly since?: number;
}

/** Alice created the room and is in it, Bob is in it with level 50, Carol and Dave are not. */
export function standardRoom(version: string): TestRoom {
  const room = new TestRoom(version).withMember(ALICE, 'join').withMember(BOB, 'join');
  const users: JsonObject = version === '12' ? { [BOB]: 50 } : { [ALICE]: 100, [BOB]: 50 };
  return room
    .withState('m.room.power_levels', { users, events: { special: 60 }, invite: 10 })
    .withState('m.room.join_rules', { join_rule: 'invite' });
}

function check({ room: change, event, options }: Case, version: string): void {
  const room = (change ?? ((same: TestRoom) => same))(standardRoom(version));
  authorise(event(room), room.roomId, room, room.version, options);
}

export function runTable(cases: readonly Case[]): void {
  const rows = cases.flatMap((one) =>
    (one.versions ?? ALL).map((version) => {
      const isAllowed = one.allowed === Number(version) >= (one.since ?? 1);
      return [isAllowed ? 'allows' : 'rejects', one.name, version, one] as const;
    }),
  );
  it.each(rows)('%s %s (version %s)', (verdict, _name, version, one) => {
    if (verdict === 'allows') expect(() => check(one, version)).not.toThrow();
    else expect(() => check(one, version)).toThrow(forbidden);
  });
}

export const joinRule = (rule: string) => (room: TestRoom) =>
  room.withState('m.room.join_rules', { join_rule: rule });
export const carolIs = (membership: string) => (room: TestRoom) => room.withMember(CAROL, membership);
export const levels = (content: JsonObject) => (room: TestRoom) =>
  room.withState('m.room.power_levels', content);
export const message = (sender: string) => (room: TestRoom) =>
  room.event({ type: 'm.room.message', sender, content: {} });
export const state =
  (sender: string, stateKey = '', type = 'm.room.topic') =>
  (room: TestRoom) =>
    room.event({ type, sender, state_key: stateKey, content: {} });
export const membership =
  (target: string, value: string, sender = target, content: JsonObject = {}) =>
  (room: TestRoom) =>
    room.member(target, value, sender, content);
