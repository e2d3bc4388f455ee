import fc from 'fast-check';

import {
  buildEvent,
  isMatrixError,
  parseJson,
  readEvent,
  roomVersion,
  supportedRoomVersions,
  type JsonObject,
} from '../src/index.ts';
import { ALICE, failure, protoOf, SIGNER, TestRoom } from './fixtures.ts';

const badJson = failure('M_BAD_JSON');
const tooLarge = failure('M_TOO_LARGE');
const pair = ['$a:here', { sha256: 'x' }];

describe.each([...supportedRoomVersions])('readEvent in version %s', (id) => {
  const room = new TestRoom(id);
  const { version } = room;
  const base = { type: 'x', sender: ALICE, room_id: room.roomId, content: {} };
  const honest = buildEvent(protoOf(version, base), version, SIGNER).pdu;
  const read = (change: object) => () => readEvent({ ...honest, ...change }, version);

  it('takes what buildEvent makes, the create event too', () => {
    expect(readEvent(honest, version)).toBe(honest);
    expect(readEvent(room.create.pdu, version)).toBe(room.create.pdu);
    expect(read({ unsigned: { age: 1 }, redacts: '$x' })).not.toThrow();
  });

  it.each<[string, object]>([
    ['no type', { type: undefined }],
    ['a type that is no string', { type: 1 }],
    ['a sender that is no user ID', { sender: 'alice' }],
    ['no room_id', { room_id: null }],
    ['a state_key that is no string', { state_key: 1 }],
    ['content that is a list', { content: [] }],
    ['no hashes', { hashes: null }],
    ['signatures that are a string', { signatures: 'x' }],
    ['unsigned that is a string', { unsigned: 'x' }],
    ['parents that are no list', { prev_events: {} }],
    ['21 parents', { prev_events: Array<unknown>(21).fill(id < '3' ? pair : '$a') }],
    ['11 auth events', { auth_events: Array<unknown>(11).fill(id < '3' ? pair : '$a') }],
    ['parents that name no event', { prev_events: ['a'] }],
    ['parents that are numbers', { prev_events: [1] }],
    ['a depth below 0', { depth: -1 }],
    ['a depth that is a float', { depth: 1.5 }],
    ['a depth that is a string', { depth: '1' }],
    ['a depth of 2^63', { depth: 2 ** 63 }],
    ['an infinite depth', { depth: Infinity }],
    ['a time that is a string', { origin_server_ts: '1' }],
    ['an infinite number in its content', { content: { x: Infinity } }],
    ['content of 100,000 levels', { content: deep(100_000) }],
  ])('refuses %s', (_name, change) => {
    expect(read(change)).toThrow(badJson);
  });

  it.each(['type', 'sender', 'room_id', 'state_key'])('refuses a %s of more than 255 bytes', (key) => {
    expect(read({ [key]: `@${'é'.repeat(128)}:here` })).toThrow(tooLarge);
  });

  it('refuses more than 65,536 bytes, and takes depths up to the limit of the version', () => {
    expect(read({ content: { body: 'x'.repeat(65_536) } })).toThrow(tooLarge);
    expect(read({ depth: Number.MAX_SAFE_INTEGER })).not.toThrow();
    expect(read({ depth: 0 })).not.toThrow();
    const beyond = read({ depth: 2 ** 53 });
    if (version.strictCanonicalJson) expect(beyond).toThrow(badJson);
    else expect(beyond).not.toThrow();
  });

  it('takes references of its own kind only, and an event_id only where it has one', () => {
    const takesPairs = version.eventReferences === 'pairs';
    expect(() => read({ prev_events: [takesPairs ? '$a' : pair] })()).toThrow(badJson);
    expect(read({ prev_events: [takesPairs ? pair : '$a'] })).not.toThrow();
    if (takesPairs) expect(read({ event_id: undefined })).toThrow(badJson);
  });

  it('never throws anything but a MatrixError', () => {
    const key = fc.constantFrom(
      'type',
      'sender',
      'content',
      'prev_events',
      'auth_events',
      'depth',
      'event_id',
    );
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), fc.jsonValue(), (change, other) => {
        for (const value of [{ ...honest, ...change }, other]) {
          try {
            readEvent(value, version);
          } catch (error) {
            expect(isMatrixError(error)).toBe(true);
          }
        }
      }),
    );
  });
});

it('100,000 levels of JSON text are refused before they are parsed', () => {
  const text = `{"content":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_001)}`;
  expect(() => readEvent(parseJson(text), roomVersion('12'))).toThrow(badJson);
});

function deep(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 0; level < levels; level++) value = { value };
  return value;
}
