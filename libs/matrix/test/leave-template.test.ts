import { entryFromTemplate, leaveFromTemplate, type JsonObject } from '../src/index.ts';
import { ALICE, BOB, failure } from './fixtures.ts';

const EVENT_ID = `$${'a'.repeat(43)}`;
const ROOM_ID = `!${'r'.repeat(43)}`;
const EXPECTED = { roomId: ROOM_ID, userId: ALICE, roomVersion: '12', origin_server_ts: 5 };

const HONEST: JsonObject = {
  type: 'm.room.member',
  room_id: ROOM_ID,
  sender: ALICE,
  state_key: ALICE,
  content: { membership: 'leave' },
  depth: 7,
  prev_events: [EVENT_ID],
  auth_events: [EVENT_ID, EVENT_ID],
};

const OURS = { ...HONEST, origin_server_ts: 5 };

const without = (key: string): JsonObject =>
  Object.fromEntries(Object.entries(HONEST).filter(([k]) => k !== key));
const run = (template: unknown) => () => leaveFromTemplate(template, EXPECTED);

describe('E8: leaveFromTemplate (CVE-2026-24471)', () => {
  it('takes the three fields of an honest template', () => {
    expect(leaveFromTemplate(HONEST, EXPECTED)).toEqual(OURS);
  });

  it('ignores what other servers are known to send along', () => {
    const chatty = {
      ...HONEST,
      origin: 'evil',
      origin_server_ts: 9,
      prev_state: [],
      hashes: { sha256: 'x' },
      signatures: { here: { 'ed25519:1': 'x' } },
      unsigned: { age: 1 },
    };
    expect(leaveFromTemplate(chatty, EXPECTED)).toEqual(OURS);
  });

  it.each<[string, JsonObject]>([
    ['another type', { type: 'm.room.power_levels' }],
    ['another room', { room_id: `!${'s'.repeat(43)}` }],
    ['another sender', { sender: BOB }],
    ['another state_key', { state_key: BOB }],
    ['an empty state_key', { state_key: '' }],
    ['a state_key that is a list', { state_key: [ALICE] }],
    ['a join', { content: { membership: 'join' } }],
    ['a ban', { content: { membership: 'ban' } }],
    ['more content', { content: { membership: 'leave', reason: 'x' } }],
    [
      'an authorised join in its content',
      { content: { membership: 'leave', join_authorised_via_users_server: ALICE } },
    ],
    ['a list as content', { content: ['leave'] }],
    ['null as content', { content: null }],
    ['redacts', { redacts: EVENT_ID }],
    ['an event_id', { event_id: EVENT_ID }],
    ['an unknown key', { 'org.evil': {} }],
    ['a key __proto__', JSON.parse('{"__proto__": {"type": "x"}}') as JsonObject],
    ['no parents', { prev_events: [] }],
    ['21 parents', { prev_events: Array<string>(21).fill(EVENT_ID) }],
    ['parents as pairs', { prev_events: [[EVENT_ID, { sha256: 'x' }]] }],
    ['parents that are no event IDs', { prev_events: ['$x'] }],
    ['parents that are a string', { prev_events: EVENT_ID }],
    ['no auth events', { auth_events: [] }],
    ['11 auth events', { auth_events: Array<string>(11).fill(EVENT_ID) }],
    ['auth events that are numbers', { auth_events: [1] }],
    ['a depth that is a string', { depth: '7' }],
    ['a depth that is a float', { depth: 7.5 }],
    ['a negative depth', { depth: -1 }],
    ['a depth beyond all integers', { depth: 2 ** 63 }],
  ])('refuses a template with %s', (_name, change) => {
    const template: JsonObject = { ...HONEST };
    for (const [key, value] of Object.entries(change)) {
      Object.defineProperty(template, key, { value, enumerable: true });
    }
    expect(run(template)).toThrow(failure('M_FORBIDDEN'));
  });

  it.each(Object.keys(HONEST))('refuses a template without %s', (key) => {
    expect(run(without(key))).toThrow(failure('M_FORBIDDEN'));
  });

  it.each([null, undefined, 'x', 1, [], [HONEST]])('refuses %j', (template) => {
    expect(run(template)).toThrow(failure('M_FORBIDDEN'));
  });

  it('refuses a room version that we do not have', () => {
    const ask = () => leaveFromTemplate(HONEST, { ...EXPECTED, roomVersion: '99' });
    expect(ask).toThrow(failure('M_UNSUPPORTED_ROOM_VERSION'));
  });
});

describe('leaveFromTemplate in older room versions', () => {
  const pairs = [['$old:there', { sha256: 'h'.repeat(43) }]];
  const old = { ...HONEST, room_id: '!r:there', prev_events: pairs, auth_events: pairs };
  const leave = (version: string, template: JsonObject) =>
    leaveFromTemplate(template, { ...EXPECTED, roomId: '!r:there', roomVersion: version });

  it.each(['1', '2'])('takes pairs in version %s and names the event itself', (version) => {
    const made = leave(version, { ...old, event_id: '$theirs:there' });
    expect(made).toMatchObject({ prev_events: pairs, auth_events: pairs });
    expect(made.event_id).toMatch(/^\$[A-Za-z0-9_-]{24}:here$/);
  });

  it.each<[JsonObject | null]>([[{}], [{ sha256: '' }], [{ sha256: 'short', md5: 'x' }], [null]])(
    'takes the event alone where its hash is %j, as Synapse and Dendrite name some',
    (hashes) => {
      const given = [['$old:there', hashes]];
      const made = leave('1', { ...old, prev_events: given, auth_events: given });
      const bare = [['$old:there', {}]];
      expect([made.prev_events, made.auth_events]).toEqual([bare, bare]);
    },
  );

  it.each([
    [['$old:there']],
    [[[EVENT_ID, { sha256: 'h'.repeat(43) }]]],
    [[[1, { sha256: 'h'.repeat(43) }]]],
  ])('refuses %j in version 1', (prev_events) => {
    expect(() => leave('1', { ...old, prev_events })).toThrow(failure('M_FORBIDDEN'));
  });

  it('takes the alphabet of version 3 only there', () => {
    const ids = [`$${'+/'.repeat(21)}a`];
    const template = { ...old, prev_events: ids, auth_events: ids };
    expect(leave('3', template).prev_events).toEqual(ids);
    expect(() => leave('4', template)).toThrow(failure('M_FORBIDDEN'));
  });
});

describe('entryFromTemplate (CVE-2026-24471)', () => {
  const join = { ...HONEST, content: { membership: 'join', displayname: 'Mallory', 'org.evil': true } };
  const enter = (template: JsonObject) =>
    entryFromTemplate(template, EXPECTED, { membership: 'join', displayname: 'Alice' });

  it('takes our content, and of theirs only who authorises the join', () => {
    expect(enter(join).content).toEqual({ membership: 'join', displayname: 'Alice' });
    const authorised = { ...join.content, join_authorised_via_users_server: BOB };
    expect(enter({ ...join, content: authorised }).content).toEqual({
      membership: 'join',
      displayname: 'Alice',
      join_authorised_via_users_server: BOB,
    });
  });

  it.each<[string, JsonObject]>([
    ['a leave', { content: { membership: 'leave' } }],
    ['another sender', { sender: BOB }],
    ['another state_key', { state_key: BOB }],
    ['another type', { type: 'm.room.power_levels' }],
    ['another room', { room_id: `!${'s'.repeat(43)}` }],
  ])('refuses a template with %s', (_name, change) => {
    expect(() => enter({ ...join, ...change })).toThrow(failure('M_FORBIDDEN'));
  });

  it('takes no authoriser that is no user', () => {
    const content = { membership: 'join', join_authorised_via_users_server: 'nobody' };
    expect(enter({ ...join, content }).content).toEqual({ membership: 'join', displayname: 'Alice' });
  });
});
