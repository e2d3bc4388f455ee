import fc from 'fast-check';
import {
  authorise,
  isMatrixError,
  supportedRoomVersions,
  type AuthState,
  type JsonObject,
  type JsonValue,
  type Pdu,
} from '../src/index.ts';
import { ALICE, BOB, CAROL, TestRoom, failure } from './fixtures.ts';

const ALL = [...supportedRoomVersions];
const forbidden = failure('M_FORBIDDEN');
const DAVE = '@dave:here';

const CURRENT: JsonObject = {
  users: { [BOB]: 50, [CAROL]: 50, [DAVE]: 40, '@eve:here': 60 },
  events: { low: 10, high: 60 },
  notifications: { low: 10, room: 60 },
  events_default: 0,
  'm.room.power_levels': 50,
  ban: 50,
  redact: 60,
};

function change(version: string, sender: string, content: JsonObject, current: JsonObject | null = CURRENT) {
  const room = new TestRoom(version).withMember(ALICE, 'join').withMember(BOB, 'join');
  if (current !== null) room.withState('m.room.power_levels', current);
  const pdu = room.event({ type: 'm.room.power_levels', sender, state_key: '', content });
  return () => authorise(pdu, room.roomId, room, room.version);
}

const users = CURRENT['users'] as JsonObject;
const events = CURRENT['events'] as JsonObject;
const without = (object: JsonObject, ...keys: string[]) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));

describe.each(ALL)('changes of power levels by a user of level 50 (version %s)', (version) => {
  const patch = (part: JsonObject) => change(version, BOB, { ...CURRENT, ...part });
  const user = (part: JsonObject) => patch({ users: { ...users, ...part } });

  it.each<[string, JsonObject]>([
    ['nothing changes', {}],
    ['a level is raised to the own', { events_default: 50 }],
    ['a level is removed', { ban: 50, events: without(events, 'low') }],
    ['a level is added', { kick: 50, invite: -5 }],
    ['an event level is added', { events: { ...events, new: 50 } }],
    ['a notification level is lowered', { notifications: { low: 0, room: 60 } }],
    ['a user below is changed', { users: { ...users, [DAVE]: 50 } }],
    ['a user below is removed', { users: without(users, DAVE) }],
    ['a user is added', { users: { ...users, '@new:here': 50 } }],
    ['the sender lowers itself', { users: { ...users, [BOB]: 0 } }],
    ['the sender removes itself', { users: without(users, BOB) }],
    ['an unknown key changes', { other: 'x' }],
  ])('are allowed when %s', (_name, part) => {
    expect(patch(part)).not.toThrow();
  });

  it.each<[string, JsonObject]>([
    ['a level is raised above the own', { ban: 51 }],
    ['a level above the own is lowered', { redact: 10 }],
    ['a level is added above the own', { kick: 51 }],
    ['an event level above the own is lowered', { events: { ...events, high: 0 } }],
    ['an event level above the own is removed', { events: without(events, 'high') }],
    ['an event level is set above the own', { events: { ...events, low: 51 } }],
    ['an equal is changed', { users: { ...users, [CAROL]: 49 } }],
    ['an equal is removed', { users: without(users, CAROL) }],
    ['a user above is changed', { users: { ...users, '@eve:here': 0 } }],
    ['the sender raises itself', { users: { ...users, [BOB]: 51 } }],
    ['a user is set above the own', { users: { ...users, [DAVE]: 51 } }],
  ])('are rejected when %s', (_name, part) => {
    expect(patch(part)).toThrow(forbidden);
  });

  it.each<[string, JsonObject]>([
    ['above the own is lowered', { notifications: { low: 10, room: 50 } }],
    ['is set above the own', { notifications: { low: 51, room: 60 } }],
    ['above the own is dropped', { notifications: {} }],
  ])('are rejected from version 6 when a notification level %s', (_name, part) => {
    if (Number(version) >= 6) expect(patch(part)).toThrow(forbidden);
    else expect(patch(part)).not.toThrow();
  });

  it('rejects removing a level above the own', () => {
    expect(change(version, BOB, without(CURRENT, 'redact'))).toThrow(forbidden);
  });

  it.each<[string, JsonObject]>([
    ...['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite'].flatMap(
      (name) =>
        (['x', '1.5', '', null, true, [], {}, Infinity] as JsonValue[]).map((value): [string, JsonObject] => [
          `${name} is ${JSON.stringify(value)}`,
          { [name]: value },
        ]),
    ),
    ['users is a list', { users: [] }],
    ['users is null', { users: null }],
    ['a user is no user ID', { users: { bob: 1 } }],
    ['a user has a word', { users: { [BOB]: 'fifty' } }],
    ['a user has a level that no double holds', { users: { [BOB]: '9'.repeat(500) } }],
    ['an event has a list', { events: { x: [1] } }],
    ['events is a string', { events: 'x' }],
  ])('rejects first power levels when %s', (_name, content) => {
    expect(change(version, ALICE, content, null)).toThrow(forbidden);
  });

  it.each<[string, number, JsonObject]>([
    ['a string', 10, { users: { [BOB]: '50' }, ban: ' +050 ', events: { x: '-1' } }],
    ['a float', 6, { users: { [BOB]: 50.57 }, kick: -0.5 }],
    ['a huge number', 6, { users: { [BOB]: 1e300 } }],
    ['a huge number in a string', 10, { users: { [BOB]: '9'.repeat(300) } }],
    ['a notification level that is none', 10, { notifications: { room: null } }],
  ])('takes %s before version %i only', (_name, first, content) => {
    if (Number(version) < first) expect(change(version, ALICE, content, null)).not.toThrow();
    else expect(change(version, ALICE, content, null)).toThrow(forbidden);
  });

  it('takes any first power levels otherwise', () => {
    expect(change(version, ALICE, {}, null)).not.toThrow();
    expect(change(version, ALICE, { users: { [BOB]: 1000 }, ban: 1000 }, null)).not.toThrow();
  });

  it('lets prototypes alone', () => {
    const evil = JSON.parse('{"__proto__": 100, "constructor": 100}') as JsonObject;
    expect(patch({ events: { ...events, ...evil } })).toThrow(forbidden);
    expect(user({ '@__proto__:here': 50 })).not.toThrow();
  });
});

describe('room version 12', () => {
  it('rejects power levels that list a creator', () => {
    expect(change('12', ALICE, { users: { [ALICE]: 100 } }, null)).toThrow(forbidden);
    expect(change('11', ALICE, { users: { [ALICE]: 100 } }, null)).not.toThrow();
  });

  it('rejects power levels that list an additional creator', () => {
    const room = new TestRoom('12', { additional_creators: [BOB] }).withMember(ALICE, 'join');
    const pdu = room.event({
      type: 'm.room.power_levels',
      sender: ALICE,
      state_key: '',
      content: { users: { [BOB]: 1 } },
    });
    expect(() => authorise(pdu, room.roomId, room, room.version)).toThrow(forbidden);
  });

  it('lets a creator change what is above every number', () => {
    expect(change('12', ALICE, { ban: 9007199254740991 }, { ban: 9007199254740990 })).not.toThrow();
  });
});

describe('hostile events and states', () => {
  const level = fc.oneof(
    fc.integer(),
    fc.constantFrom<JsonValue>('100', ' 7', 1.5, 1e300, -0, null, true, 'x', [], {}, '__proto__', 2 ** 53),
  );
  const key = fc.constantFrom(ALICE, BOB, 'bob', '__proto__', 'constructor', '', 'x');
  const map = fc.oneof(fc.dictionary(key, level), level);
  const content = fc.dictionary(
    fc.constantFrom(
      ...[
        'users',
        'events',
        'notifications',
        'users_default',
        'ban',
        'kick',
        'invite',
        'join_rule',
        'creator',
      ],
      ...['membership', 'join_authorised_via_users_server', 'third_party_invite', 'additional_creators'],
    ),
    fc.oneof(map, fc.constantFrom('join', 'invite', 'leave', 'ban', 'knock', 'public', 'restricted', ALICE)),
  );
  const anyContent = fc.oneof({ weight: 9, arbitrary: content }, { weight: 1, arbitrary: fc.jsonValue() });
  const type = fc.constantFrom(
    ...['m.room.create', 'm.room.member', 'm.room.power_levels', 'm.room.join_rules'],
    ...['m.room.third_party_invite', 'm.room.message', '__proto__'],
  );
  const odd = fc.constantFrom<unknown>(undefined, null, 1, '', {}, [], ALICE);
  const hostile = fc.record({
    type: fc.oneof({ weight: 9, arbitrary: type }, { weight: 1, arbitrary: odd }),
    sender: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(ALICE, BOB) }, { weight: 1, arbitrary: odd }),
    state_key: fc.oneof(fc.constantFrom('', ALICE, BOB, undefined), odd),
    content: anyContent,
    prev_events: fc.oneof(fc.constantFrom<unknown>([], ['$x'], [1]), odd),
    room_id: fc.constantFrom('room', 'other'),
  });

  it.each(ALL)('never throw anything but a MatrixError (version %s)', (version) => {
    fc.assert(
      fc.property(hostile, fc.array(hostile, { maxLength: 6 }), (event, others) => {
        const room = new TestRoom(version).withMember(ALICE, 'join');
        const place = (one: typeof event): Pdu =>
          ({ ...room.event({ type: 'x', sender: ALICE, content: {} }), ...one, room_id: room.roomId }) as Pdu;
        for (const other of others) room.put(place(other));
        const state: AuthState = room;
        try {
          authorise(place(event), room.roomId, state, room.version, { joinAuthorisedSignatureValid: true });
        } catch (error) {
          expect(isMatrixError(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
