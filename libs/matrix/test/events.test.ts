import {
  buildEvent,
  canonicalJson,
  checkContentHash,
  contentHash,
  eventIdOf,
  redact,
  referencedId,
  referenceHash,
  roomVersion,
  signedText,
  signBytes,
  supportedRoomVersions,
  verifyEvent,
  type JsonObject,
  type Pdu,
} from '../src/index.ts';
import { ALICE, BOB, proto, protoOf, SIGNER, SPEC_KEY, TestRoom, failure } from './fixtures.ts';

const PUBLIC_KEY = SPEC_KEY.publicKey;
const EVENT_ID = {
  'in-event': /^\$[A-Za-z0-9_-]{24}:here$/,
  hash: /^\$[A-Za-z0-9+/]{43}$/,
  'url-safe-hash': /^\$[A-Za-z0-9_-]{43}$/,
};

function message(content: JsonObject, extra: Partial<Pdu> = {}): Pdu {
  const base = proto({ type: 'm.room.message', sender: ALICE, room_id: '!r:here', content });
  return { ...base, hashes: { sha256: '' }, signatures: {}, ...extra };
}

describe('the event signing vectors of the specification', () => {
  // The vectors have fields that later formats dropped (origin, event_id) or that they lack, hence the casts.
  it.each([
    [
      {
        room_id: '!x:domain',
        sender: '@a:domain',
        origin: 'domain',
        origin_server_ts: 1000000,
        signatures: {},
        hashes: {},
        type: 'X',
        content: {},
        prev_events: [],
        auth_events: [],
        depth: 3,
        unsigned: { age_ts: 1000000 },
      },
      '5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos',
      'KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg',
    ],
    [
      {
        content: { body: 'Here is the message content' },
        event_id: '$0:domain',
        origin: 'domain',
        origin_server_ts: 1000000,
        type: 'm.room.message',
        room_id: '!r:domain',
        sender: '@u:domain',
        signatures: {},
        unsigned: { age_ts: 1000000 },
      },
      'onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g',
      'Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA',
    ],
  ])('hash and sign to the given values', (vector, hash, signature) => {
    const version = roomVersion('10');
    expect(contentHash(vector as unknown as Pdu, version)).toBe(hash);
    const pdu = { ...vector, hashes: { sha256: hash } } as unknown as Pdu;
    expect(signBytes(signedText(redact(pdu, version)), SPEC_KEY)).toBe(signature);
    const signed = { ...pdu, signatures: { domain: { 'ed25519:1': signature } } };
    expect(verifyEvent(signed, version, 'domain', PUBLIC_KEY)).toBe(true);
    expect(checkContentHash(signed, version)).toBe(true);
  });
});

describe.each([...supportedRoomVersions])('buildEvent in version %s', (id) => {
  const room = new TestRoom(id);
  const { version, roomId } = room;
  const base = protoOf(version, {
    type: 'm.room.message',
    sender: ALICE,
    room_id: roomId,
    content: { body: 'é' },
  });

  it('gives an event that passes every check', () => {
    const { pdu, json, eventId } = buildEvent(base, version, SIGNER);
    expect(json).toBe(canonicalJson(pdu));
    expect(eventId).toBe(eventIdOf(pdu, version));
    expect(eventId).toMatch(EVENT_ID[version.eventIdFormat]);
    expect(contentHash(base, version)).toBe(pdu.hashes.sha256);
    expect(checkContentHash(pdu, version)).toBe(true);
    expect(verifyEvent(pdu, version, 'here', PUBLIC_KEY)).toBe(true);
    expect(verifyEvent(pdu, version, 'here', PUBLIC_KEY, 'ed25519:1')).toBe(true);
    expect(eventIdOf(JSON.parse(json) as Pdu, version)).toBe(eventId);
  });

  it('keeps signature and event ID when redacted, and loses them when forged', () => {
    const { pdu, eventId } = buildEvent(base, version, SIGNER);
    const redacted = redact(pdu, version);
    expect(redacted.content).toEqual({});
    expect(eventIdOf(redacted, version)).toBe(eventId);
    expect(verifyEvent(redacted, version, 'here', PUBLIC_KEY)).toBe(true);
    expect(checkContentHash(redacted, version)).toBe(false);
    expect(verifyEvent({ ...pdu, sender: BOB }, version, 'here', PUBLIC_KEY)).toBe(false);
    expect(verifyEvent(pdu, version, 'there', PUBLIC_KEY)).toBe(false);
    expect(verifyEvent(pdu, version, 'here', PUBLIC_KEY, 'ed25519:2')).toBe(false);
  });

  it('leaves unsigned and foreign signatures out', () => {
    const sneaky = { ...base, unsigned: { a: 1 }, signatures: { x: {} }, hashes: { sha256: 'x' } };
    expect(buildEvent(sneaky, version, SIGNER).json).toBe(buildEvent(base, version, SIGNER).json);
  });

  it('refuses what is too large', () => {
    const tooLarge = failure('M_TOO_LARGE');
    const long = 'é'.repeat(128);
    const build = (change: object) => () => buildEvent({ ...base, ...change }, version, SIGNER);
    expect(build({ content: { body: 'x'.repeat(65_536) } })).toThrow(tooLarge);
    expect(build({ type: long })).toThrow(tooLarge);
    expect(build({ state_key: long })).toThrow(tooLarge);
    expect(build({ sender: `@${long}:here` })).toThrow(tooLarge);
    expect(build({ room_id: `!${long}:here` })).toThrow(tooLarge);
  });

  it('allows exactly 65,536 bytes', () => {
    const sized = (length: number) =>
      buildEvent({ ...base, content: { body: 'x'.repeat(length) } }, version, SIGNER);
    const room = 65_536 - Buffer.byteLength(sized(0).json);
    expect(Buffer.byteLength(sized(room).json)).toBe(65_536);
    expect(() => sized(room + 1)).toThrow();
  });

  it('refuses deep content, missing rooms and too many parents, and floats from version 6', () => {
    const badJson = failure('M_BAD_JSON');
    const build = (change: object) => () => buildEvent({ ...base, ...change }, version, SIGNER);
    const { room_id: _roomId, ...homeless } = base;
    let deep: JsonObject = {};
    for (let i = 0; i < 95; i++) deep = { deep };
    if (version.strictCanonicalJson) expect(build({ content: { level: 1.5 } })).toThrow(badJson);
    else expect(build({ content: { level: 1.5 } })().json).toContain('"level":1.5');
    expect(build({ content: { level: Infinity } })).toThrow(badJson);
    expect(build({ content: deep })).toThrow(badJson);
    expect(() => buildEvent(homeless, version, SIGNER)).toThrow(badJson);
    expect(build({ prev_events: Array(21).fill('$x') })).toThrow(badJson);
    expect(build({ auth_events: Array(11).fill('$x') })).toThrow(badJson);
  });
});

describe('room versions 1 and 2', () => {
  const version = roomVersion('1');
  const base = proto({ type: 'x', sender: ALICE, room_id: '!r:here', content: {} });

  it('take the event ID that the server gave, and no other version does', () => {
    const named = { ...base, event_id: '$chosen:here' };
    const { eventId, json, pdu } = buildEvent(named, version, SIGNER);
    expect(eventId).toBe('$chosen:here');
    expect(eventIdOf(pdu, version)).toBe(eventId);
    expect(json).toContain('"event_id":"$chosen:here"');
    expect(() => buildEvent(base, version, SIGNER)).toThrow(failure('M_BAD_JSON'));
    expect(() => buildEvent(named, roomVersion('3'), SIGNER)).toThrow(failure('M_BAD_JSON'));
  });

  it('name other events with their reference hashes, which redaction does not change', () => {
    const parent = buildEvent({ ...base, event_id: '$p:here', content: { body: 1 } }, version, SIGNER);
    const hash = referenceHash(parent.pdu, version);
    expect(hash).toMatch(/^[A-Za-z0-9+/]{43}$/);
    expect(referenceHash(redact(parent.pdu, version), version)).toBe(hash);
    const references: Pdu['prev_events'] = [['$p:here', { sha256: hash }]];
    const child = buildEvent({ ...base, event_id: '$c:here', prev_events: references }, version, SIGNER);
    expect(child.json).toContain(`"prev_events":[["$p:here",{"sha256":"${hash}"}]]`);
    expect(verifyEvent(child.pdu, version, 'here', PUBLIC_KEY)).toBe(true);
  });

  it('read IDs out of references of both kinds, and nothing out of what is none', () => {
    const odd = [null, 1, [], [1, {}], {}] as unknown as Pdu['prev_events'];
    expect(
      ['$a', ['$b:here', {}] as [string, object], ...odd].map((one) => referencedId(one as string)),
    ).toEqual(['$a', '$b:here', '', '', '', '', '']);
  });
});

describe('room version 12', () => {
  it('names the room after its create event', () => {
    const { create, version } = new TestRoom('12');
    expect(create.roomId).toBe(`!${create.eventId.slice(1)}`);
    expect(create.pdu).not.toHaveProperty('room_id');
    expect(eventIdOf(create.pdu, version).slice(1)).toBe(create.roomId.slice(1));
  });

  it('refuses a create event with a room_id, as version 11 refuses one without', () => {
    const create = proto({ type: 'm.room.create', sender: ALICE, state_key: '', content: {} });
    const badJson = failure('M_BAD_JSON');
    expect(() => buildEvent({ ...create, room_id: '!r:here' }, roomVersion('12'), SIGNER)).toThrow(badJson);
    expect(() => buildEvent(create, roomVersion('11'), SIGNER)).toThrow(badJson);
  });
});

describe('redact', () => {
  const levels = { ban: 1, events: {}, invite: 2, notifications: {}, users: {}, x: 1 };
  const member = {
    membership: 'join',
    displayname: 'x',
    join_authorised_via_users_server: ALICE,
    third_party_invite: { display_name: 'x', signed: { token: 't' } },
  };
  const kept10 = { membership: 'join', join_authorised_via_users_server: ALICE };

  it.each<[string, string, JsonObject, JsonObject]>([
    ['8', 'm.room.member', member, { membership: 'join' }],
    ['9', 'm.room.member', member, kept10],
    ['10', 'm.room.member', member, kept10],
    ['7', 'm.room.join_rules', { join_rule: 'x', allow: [] }, { join_rule: 'x' }],
    ['8', 'm.room.join_rules', { join_rule: 'x', allow: [] }, { join_rule: 'x', allow: [] }],
    ['1', 'm.room.power_levels', levels, { ban: 1, events: {}, users: {} }],
    ['1', 'm.room.create', { creator: ALICE, room_version: '1' }, { creator: ALICE }],
    ['5', 'm.room.aliases', { aliases: ['#a:here'], x: 1 }, { aliases: ['#a:here'] }],
    ['6', 'm.room.aliases', { aliases: ['#a:here'] }, {}],
    ['11', 'm.room.member', member, { ...kept10, third_party_invite: { signed: { token: 't' } } }],
    ['12', 'm.room.member', { membership: 'leave', third_party_invite: 1 }, { membership: 'leave' }],
    ['10', 'm.room.create', { creator: ALICE, room_version: '10' }, { creator: ALICE }],
    ['11', 'm.room.create', { creator: ALICE, x: 1 }, { creator: ALICE, x: 1 }],
    ['12', 'm.room.create', { additional_creators: [BOB] }, { additional_creators: [BOB] }],
    ['10', 'm.room.join_rules', { join_rule: 'x', allow: [], y: 1 }, { join_rule: 'x', allow: [] }],
    ['10', 'm.room.power_levels', levels, { ban: 1, events: {}, users: {} }],
    ['11', 'm.room.power_levels', levels, { ban: 1, events: {}, invite: 2, users: {} }],
    ['12', 'm.room.history_visibility', { history_visibility: 'x', y: 1 }, { history_visibility: 'x' }],
    ['10', 'm.room.redaction', { redacts: '$x', reason: 'y' }, {}],
    ['12', 'm.room.redaction', { redacts: '$x', reason: 'y' }, { redacts: '$x' }],
    ['12', 'm.room.aliases', { aliases: [] }, {}],
    ['12', 'constructor', { name: 1 }, {}],
  ])('in version %s keeps of %s what is protected', (version, type, content, expected) => {
    expect(redact(message(content, { type }), roomVersion(version)).content).toEqual(expected);
  });

  it('keeps origin, membership and prev_state only before version 11, unsigned and redacts never', () => {
    const extra = { origin: 'o', membership: 'join', prev_state: [], redacts: '$x', unsigned: {}, other: 1 };
    const pdu = message({}, extra);
    const keys = (id: string) => Object.keys(redact(pdu, roomVersion(id)));
    expect(keys('10')).toEqual(expect.arrayContaining(['origin', 'membership', 'prev_state']));
    for (const key of ['origin', 'membership', 'prev_state']) expect(keys('11')).not.toContain(key);
    for (const key of ['redacts', 'unsigned', 'other']) expect(keys('10')).not.toContain(key);
  });
});

describe('verification of hostile events', () => {
  it.each([
    {},
    { signatures: 1, content: 1 },
    { signatures: { here: 1 } },
    { signatures: { here: { 'ed25519:1': 1 } }, content: { a: 1.5 } },
    { signatures: { here: { 'ed25519:1': 'AAAA' } }, content: { a: 1.5 }, hashes: { sha256: 'x' } },
  ])('says no to %j', (value) => {
    const pdu = value as unknown as Pdu;
    expect(verifyEvent(pdu, roomVersion('12'), 'here', PUBLIC_KEY)).toBe(false);
    expect(checkContentHash(pdu, roomVersion('12'))).toBe(false);
  });
});

describe('roomVersion', () => {
  it.each(['', '0', '01', '13', '__proto__', 'org.example'])('does not know %j', (id) => {
    expect(() => roomVersion(id)).toThrow(failure('M_UNSUPPORTED_ROOM_VERSION'));
  });
});
