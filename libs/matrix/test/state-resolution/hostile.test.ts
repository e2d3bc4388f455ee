import {
  resolveState,
  roomVersion,
  stateMapKey,
  supportedRoomVersions,
  type JsonObject,
  type JsonValue,
  type Pdu,
  type ResolutionEvent,
} from '../../src/index.ts';
import { ALICE, BOB, CAROL } from '../fixtures.ts';
import { must, openRoom, powerLevels, topic, type ForkedRoom } from './forked-room.ts';

const ALL = [...supportedRoomVersions];
const open = (version: string) => openRoom(version, resolveState, [BOB, CAROL], { [BOB]: 50 });

/** Puts an event into the room that no server would have let in; answers a state that holds it. */
function smuggle(room: ForkedRoom, eventId: string, change: object): Map<string, string> {
  const { last } = room;
  const before = room.after(last);
  const auth = ['m.room.create', 'm.room.power_levels'].map((type) => room.at(before, type)!);
  const pdu = {
    ...room.events.get(last)!.pdu,
    ...powerLevels(BOB, {}),
    state_key: '',
    auth_events: [...auth, room.at(before, 'm.room.member', BOB)!],
    origin_server_ts: 1,
    ...change,
  } as unknown as Pdu;
  room.events.set(eventId, { eventId, pdu });
  return new Map([...before, [stateMapKey(pdu.type, pdu.state_key ?? ''), eventId]]);
}

describe.each(ALL)('hostile events in version %s', (version) => {
  const honestEnd = (room: ForkedRoom) => room.after(must(room, { ...topic(ALICE, 'x'), time: 2 }));
  const levelsOf = (room: ForkedRoom) => room.at(room.after(room.last), 'm.room.power_levels');

  const odd: JsonValue[] = [
    ...['100', ' 100 ', '1e9', '0x64', '9'.repeat(300), '9'.repeat(500), '', 'NaN', 'Infinity'],
    ...[100.5, 1e308, -1e308, 2 ** 53, 2 ** 63, Infinity, NaN, null, true, [], {}, ['100']],
  ];

  it.each(odd.map((value) => [JSON.stringify(value).slice(0, 20), value] as const))(
    'power levels of %s give a moderator nothing',
    (_name, value) => {
      for (const content of [
        { users: { [BOB]: value } },
        { users: { [BOB]: 50 }, users_default: value },
        { users: { [BOB]: 50, [CAROL]: value } },
        { events: { 'm.room.power_levels': value }, users: { [BOB]: value, [ALICE]: -1 } },
      ]) {
        const room = open(version);
        const levels = levelsOf(room);
        const states = [smuggle(room, '$evil', { content }), honestEnd(room)];
        const state = resolveState(room.input(states));
        // Version 1 takes the first power levels of its list unasked, which are the honest ones: they have less depth.
        expect(room.at(state, 'm.room.power_levels')).toBe(levels);
        expect(room.at(state, 'm.room.create')).toBe(room.createId);
      }
    },
  );

  it.each<[string, unknown]>([
    ['-1', -1],
    ['0', 0],
    ['2^53', 2 ** 53],
    ['2^63', 2 ** 63],
    ['1e308', 1e308],
    ['infinite', Infinity],
    ['no number', NaN],
    ['a string', '7'],
    ['null', null],
    ['absent', undefined],
  ])('a depth and a time of %s are ordered, always alike', (_name, value) => {
    const room = open(version);
    const change = { ...topic(ALICE, 'odd'), depth: value, origin_server_ts: value };
    const states = [smuggle(room, '$odd', change), smuggle(room, '$odder', change), honestEnd(room)];
    const state = resolveState(room.input(states));
    expect(room.at(state, 'm.room.topic')).toBeDefined();
    expect([...resolveState(room.input([...states].reverse()))].sort()).toEqual([...state].sort());
  });

  it('events that name each other, themselves or nothing that is an ID are not taken in by that', () => {
    const room = open(version);
    const levels = levelsOf(room);
    const hostile = { users: { [BOB]: 100 } };
    const states = [
      smuggle(room, '$a', { content: hostile, auth_events: ['$b', '$a'] }),
      smuggle(room, '$b', { content: hostile, auth_events: ['$a'], depth: 1e6 }),
      smuggle(room, '$c', { content: hostile, auth_events: [1, null, {}, [], [['$a']]], depth: 1e6 }),
      smuggle(room, '$d', { content: hostile, auth_events: '$a', depth: 1e6 }),
      smuggle(room, '$e', { content: hostile, auth_events: undefined, depth: 1e6 }),
      honestEnd(room),
    ];
    expect(room.at(resolveState(room.input(states)), 'm.room.power_levels')).toBe(levels);
  });

  it('without the create event nothing in dispute is allowed, and what is agreed stays', () => {
    const room = open(version);
    const states = [smuggle(room, '$evil', { content: {}, depth: 1e6 }), honestEnd(room)];
    room.events.delete(room.createId);
    const state = resolveState(room.input(states));
    expect(room.at(state, 'm.room.topic')).toBe(
      version === '1' ? room.at(states[1]!, 'm.room.topic') : undefined,
    );
    for (const type of ['m.room.create', 'm.room.join_rules']) {
      expect(room.at(state, type)).toBe(room.at(states[0]!, type));
    }
  });

  it('events that the server does not have count as not there', () => {
    const room = open(version);
    const full = honestEnd(room);
    const [key] = [stateMapKey('m.room.topic', '')];
    const states = [new Map([...full, [key, '$unknown']]), full];
    const state = resolveState(room.input(states));
    expect(state.get(key)).toBe(full.get(key));
    const nothing = { ...room.input(states), eventOf: () => undefined };
    expect([...resolveState(nothing)].sort()).toEqual([...full].filter(([one]) => one !== key).sort());
  });

  it('what the state says is missing counts against an event, not for it', () => {
    const room = open(version);
    const full = honestEnd(room);
    const lacking = new Map(full);
    lacking.delete(stateMapKey('m.room.topic', ''));
    room.events.delete(room.at(full, 'm.room.power_levels')!);
    // In version 12 nothing is in the state yet, and the event's own auth events are gone too: defaults, and a creator.
    const state = resolveState(room.input([full, lacking]));
    if (!['1', '12'].includes(version)) expect(room.at(state, 'm.room.topic')).toBeUndefined();
    expect(room.at(state, 'm.room.power_levels')).toBe(room.at(full, 'm.room.power_levels'));
  });

  it('names of prototypes and separators are names like others', () => {
    const room = open(version);
    const types = ['__proto__', 'constructor', 'toString', '', 'a\0b', 'a', 'm.room.member\0x'];
    const changes = types.map((type, index) => ({
      ...topic(BOB, 'x'),
      type,
      state_key: types[index + 1] ?? '',
    }));
    const states = changes.map((change, index) => smuggle(room, `$${index}`, change));
    const state = resolveState(room.input(states));
    for (const [index, { type, state_key: key }] of changes.entries()) {
      expect(state.get(stateMapKey(type, key))).toBe(`$${index}`);
    }
  });

  it('content of 100,000 levels is not walked', () => {
    let content: JsonObject = {};
    for (let level = 0; level < 100_000; level++) content = { content };
    const room = open(version);
    const states = [smuggle(room, '$deep', { ...topic(ALICE, ''), content }), honestEnd(room)];
    expect(room.at(resolveState(room.input(states)), 'm.room.create')).toBe(room.createId);
  });
});

const honestEndOf = (room: ForkedRoom, levels: string): Map<string, string> => {
  const [first] = room.ids;
  const state = new Map(room.after(first!));
  for (const [key, id] of room.after(
    room.ids.find((one) => room.events.get(one)?.pdu.type === 'm.room.join_rules')!,
  )) {
    state.set(key, id);
  }
  return state.set(stateMapKey('m.room.power_levels', ''), levels);
};

describe.each(['1', '2', '12'])('large events and long chains in version %s (CVE-2024-31208)', (version) => {
  it('100,000 entries in auth_events and a chain of 20,000 auth events cost no more than a walk', () => {
    const room = open(version);
    const levels = room.at(room.after(room.last), 'm.room.power_levels');
    for (let index = 0; index < 20_000; index++) {
      const auth = index === 0 ? [levels!] : [`$c${index - 1}`];
      const pdu = { ...room.events.get(levels!)!.pdu, auth_events: auth };
      room.events.set(`$c${index}`, { eventId: `$c${index}`, pdu });
    }
    const many = Array.from({ length: 100_000 }, (_, index) => `$no${index}`);
    const content = { users: { [BOB]: 100 } };
    const states = [
      smuggle(room, '$many', { content, auth_events: many, depth: 1e6 }),
      smuggle(room, '$long', { content, auth_events: ['$c19999'], depth: 1e6 }),
      honestEndOf(room, levels!),
    ];
    const started = process.cpuUsage();
    expect(room.at(resolveState(room.input(states)), 'm.room.power_levels')).not.toMatch(/many|long/);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(10_000);
  });
});

describe('room version 12', () => {
  it('knows its create event by its ID: another one in the state is no create event (CVE-2025-54315)', () => {
    const room = open('12');
    const last = room.after(room.last);
    const forged: ResolutionEvent = {
      eventId: '$forged',
      pdu: { ...room.events.get(room.createId)!.pdu, sender: BOB },
    };
    room.events.set('$forged', forged);
    const key = stateMapKey('m.room.create', '');
    const state = resolveState(room.input([last, new Map([...last, [key, '$forged']])]));
    expect(state.get(key)).toBe(room.createId);
  });

  it('does without a create event that was rejected', () => {
    const room = open('12');
    const before = room.after(room.last);
    const named = room.after(must(room, topic(ALICE, 'x')));
    room.events.set(room.createId, { ...room.events.get(room.createId)!, isRejected: true });
    const state = resolveState(room.input([named, before]));
    expect(room.at(state, 'm.room.topic')).toBeUndefined();
  });
});

describe('10 (CVE-2022-39374): rejected and soft-failed events', () => {
  it('a rejected auth event does not stand in for state that is not there yet', () => {
    const room = open('12');
    const before = room.after(must(room, topic(ALICE, 'before')));
    const set = must(room, topic(BOB, 'by his level'));
    const winner = (): string | undefined =>
      room.at(resolveState(room.input([before, room.after(set)])), 'm.room.topic');
    expect(winner()).toBe(set);
    const levels = room.at(before, 'm.room.power_levels')!;
    room.events.set(levels, { ...room.events.get(levels)!, isRejected: true });
    expect(winner()).toBe(room.at(before, 'm.room.topic'));
  });

  it.each(['2', '11', '12'])('what is in dispute is judged anew, rejected or not (version %s)', (version) => {
    const room = open(version);
    const before = room.after(must(room, topic(ALICE, 'before')));
    const set = must(room, topic(BOB, 'after'));
    room.events.set(set, { ...room.events.get(set)!, isRejected: true });
    expect(room.at(resolveState(room.input([before, room.after(set)])), 'm.room.topic')).toBe(set);
  });
});

it('no states resolve to nothing, one to itself', () => {
  const room = open('12');
  const state = room.after(room.last);
  expect(resolveState(room.input([]))).toEqual(new Map());
  const alone = resolveState(room.input([state]));
  expect([...alone]).toEqual([...state]);
  expect(alone).not.toBe(state);
  expect(roomVersion('12').stateResolution).toBe('2.1');
});
