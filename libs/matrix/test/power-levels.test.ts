import {
  authorise,
  defaultPowerLevels,
  parsePowerLevels,
  requiredPowerLevel,
  roomVersion,
  supportedRoomVersions,
  userPowerLevel,
  type JsonObject,
  type JsonValue,
} from '../src/index.ts';
import { ALICE, BOB, CAROL, failure, TestRoom } from './fixtures.ts';

const V12 = roomVersion('12');

describe('parsePowerLevels', () => {
  it('fills in the defaults of the specification', () => {
    expect(parsePowerLevels({}, V12)).toEqual({
      users: {},
      users_default: 0,
      events: {},
      events_default: 0,
      state_default: 50,
      ban: 50,
      kick: 50,
      redact: 50,
      invite: 0,
      notifications: {},
    });
  });

  it.each<JsonObject>([{ ban: '50' }, { users: { [BOB]: 1.5 } }, { events: [] }, { kick: 2 ** 53 }])(
    'refuses %j',
    (content) => {
      expect(() => parsePowerLevels(content, V12)).toThrow(failure('M_BAD_JSON'));
    },
  );

  it('takes strings that hold an integer where the room version allows', () => {
    const lax = roomVersion('9');
    expect(parsePowerLevels({ ban: ' 60 ', kick: '+007', redact: '-1' }, lax)).toMatchObject({
      ban: 60,
      kick: 7,
      redact: -1,
    });
    for (const ban of ['6e1', '0x10', '1_0', '1.0', '- 1', '']) {
      expect(() => parsePowerLevels({ ban }, lax)).toThrow(failure('M_BAD_JSON'));
    }
  });

  it('cuts floats towards zero up to version 5, as the example of the specification has it', () => {
    const users = { '@alice:localhost': 50, [BOB]: 50.57, [CAROL]: -0.9 };
    expect(parsePowerLevels({ users, ban: 5.114698e4 }, roomVersion('5'))).toMatchObject({
      users: { '@alice:localhost': 50, [BOB]: 50, [CAROL]: 0 },
      ban: 51146,
    });
    expect(() => parsePowerLevels({ users }, roomVersion('6'))).toThrow(failure('M_BAD_JSON'));
    expect(() => parsePowerLevels({ ban: JSON.parse('1e999') as number }, roomVersion('1'))).toThrow(
      failure('M_BAD_JSON'),
    );
  });

  it('leaves out notification levels that cannot be read before version 10', () => {
    const content = { notifications: { room: 'x', other: '7' } };
    expect(parsePowerLevels(content, roomVersion('9')).notifications).toEqual({ other: 7 });
    expect(parsePowerLevels({ notifications: 1 }, roomVersion('9')).notifications).toEqual({});
    expect(() => parsePowerLevels(content, roomVersion('10'))).toThrow(failure('M_BAD_JSON'));
  });
});

describe('userPowerLevel', () => {
  const levels = parsePowerLevels({ users: { [BOB]: 5 }, users_default: 1 }, V12);

  it('reads the list, then the default', () => {
    const create = new TestRoom('11').create.pdu;
    expect([ALICE, BOB, CAROL].map((id) => userPowerLevel(id, levels, create, roomVersion('11')))).toEqual([
      1, 5, 1,
    ]);
  });

  it('gives the creator 100 without power levels', () => {
    for (const id of ['1', '10', '11']) {
      const create = new TestRoom(id).create.pdu;
      expect(userPowerLevel(ALICE, undefined, create, roomVersion(id))).toBe(100);
      expect(userPowerLevel(BOB, undefined, create, roomVersion(id))).toBe(0);
    }
  });

  it('is infinite for all creators in version 12', () => {
    const create = new TestRoom('12', { additional_creators: [CAROL] }).create.pdu;
    const of = (id: string) => userPowerLevel(id, levels, create, V12);
    expect([ALICE, CAROL, BOB].map(of)).toEqual([Infinity, Infinity, 5]);
    expect(userPowerLevel(BOB, undefined, create, V12)).toBe(0);
  });
});

describe('requiredPowerLevel', () => {
  it('reads events, then the default of the kind', () => {
    const levels = parsePowerLevels({ events: { x: 7 }, events_default: 1, state_default: 2 }, V12);
    expect(requiredPowerLevel('x', true, levels)).toBe(7);
    expect(requiredPowerLevel('y', true, levels)).toBe(2);
    expect(requiredPowerLevel('y', false, levels)).toBe(1);
    expect(requiredPowerLevel('y', true, undefined)).toBe(50);
    expect(requiredPowerLevel('y', false, undefined)).toBe(0);
  });
});

describe.each([...supportedRoomVersions])('GHSA-grvv-h2f9-7v9c: events_default in version %s', (id) => {
  const version = roomVersion(id);
  const needed = (level: JsonValue): number =>
    requiredPowerLevel('m.room.message', false, parsePowerLevels({ events_default: level }, version));
  const refusal = failure('M_BAD_JSON');

  it('is the level that a message takes', () => {
    expect([50, -1, 0, 2 ** 53 - 1].map(needed)).toEqual([50, -1, 0, 2 ** 53 - 1]);
    expect(requiredPowerLevel('m.room.message', false, parsePowerLevels({}, version))).toBe(0);
  });

  it('is read from text and floats where the version has it so, and refused elsewhere', () => {
    for (const [level, upTo] of [
      ['50', 9],
      [' 50', 9],
      [50.9, 5],
    ] as const) {
      if (Number(id) <= upTo) expect(needed(level)).toBe(50);
      else expect(() => needed(level)).toThrow(refusal);
    }
  });

  it.each<JsonValue>(['5.5', 'x', '', null, true, [], [50], {}])('is refused when it is %j', (level) => {
    expect(() => needed(level)).toThrow(refusal);
  });

  it('is as large as it says, or refused, beyond all integers', () => {
    for (const level of [2 ** 53, '9007199254740993', 1e300, '9'.repeat(400)]) {
      try {
        expect(needed(level)).toBeGreaterThanOrEqual(2 ** 53 - 1);
      } catch (error) {
        expect(error).toEqual(refusal);
      }
    }
  });
});

describe.each([...supportedRoomVersions])('defaultPowerLevels in version %s', (id) => {
  it('may be sent by the creator', () => {
    const room = new TestRoom(id).withMember(ALICE, 'join');
    const content = defaultPowerLevels(ALICE, room.version);
    const pdu = room.event({ type: 'm.room.power_levels', sender: ALICE, state_key: '', content });
    expect(() => authorise(pdu, room.roomId, room, room.version)).not.toThrow();
    const levels = parsePowerLevels(content, room.version);
    expect(userPowerLevel(ALICE, levels, room.create.pdu, room.version)).toBeGreaterThanOrEqual(100);
    expect(requiredPowerLevel('m.room.tombstone', true, levels)).toBeGreaterThan(levels.state_default);
  });
});
