import { authorise, type JsonObject, type Pdu } from '../src/index.ts';
import { ALICE, BOB, CAROL, failure, TestRoom } from './fixtures.ts';
import {
  ALL,
  carolIs,
  levels,
  membership,
  message,
  runTable,
  standardRoom,
  state,
  versions,
} from './rule-table.ts';

const forbidden = failure('M_FORBIDDEN');

function dropLevels(room: TestRoom): TestRoom {
  room.state.delete('m.room.power_levels\0');
  return room;
}

describe('m.room.create', () => {
  const create = (room: TestRoom, change: Partial<Pdu>, content: JsonObject = {}): Pdu => ({
    ...room.create.pdu,
    ...change,
    content: { ...room.create.pdu.content, ...content },
  });
  runTable([
    { name: 'the first event', allowed: true, event: (room) => room.create.pdu },
    { name: 'one with parents', allowed: false, event: (room) => create(room, { prev_events: ['$x'] }) },
    {
      name: 'a room version that nobody knows',
      allowed: false,
      event: (room) => create(room, {}, { room_version: 'no' }),
    },
    {
      name: 'a room version that is no string',
      allowed: false,
      event: (room) => create(room, {}, { room_version: 12 }),
    },
    {
      name: 'another server than the room has',
      allowed: false,
      versions: versions(1, 11),
      event: (room) => create(room, { sender: CAROL }),
    },
    {
      name: 'no creator',
      allowed: false,
      versions: versions(1, 10),
      event: (room) => ({ ...room.create.pdu, content: { room_version: room.version.id } }),
    },
    {
      name: 'a room_id',
      allowed: false,
      versions: ['12'],
      event: (room) => create(room, { room_id: room.roomId }),
    },
    {
      name: 'additional creators',
      allowed: true,
      versions: ['12'],
      event: (room) => create(room, {}, { additional_creators: [BOB, CAROL] }),
    },
    ...[{ a: 1 }, 'x', [1], ['bob'], [BOB, null]].map((additional_creators) => ({
      name: `additional_creators ${JSON.stringify(additional_creators)}`,
      allowed: false,
      versions: ['12'],
      event: (room: TestRoom) => create(room, {}, { additional_creators }),
    })),
  ]);
});

describe('the room', () => {
  const unfederated = (version: string) =>
    new TestRoom(version, { 'm.federate': false }).withMember(CAROL, 'join').withMember(ALICE, 'join');

  runTable([
    {
      name: 'an event of another room',
      allowed: false,
      event: (room) => ({ ...message(ALICE)(room), room_id: '!o:here' }),
    },
    {
      name: 'an event without a room',
      allowed: false,
      event: (room) => {
        const { room_id: _roomId, ...rest } = message(ALICE)(room);
        return rest;
      },
    },
    {
      name: 'a room that is not named after its create event',
      allowed: false,
      versions: ['12'],
      room: (room) => room.put({ ...room.create.pdu, depth: 2 }),
      event: message(ALICE),
    },
  ]);

  it.each(ALL)('rejects everything without a create event (version %s)', (version) => {
    const room = standardRoom(version);
    room.state.delete('m.room.create\0');
    expect(() => authorise(message(ALICE)(room), room.roomId, room, room.version)).toThrow(forbidden);
  });

  it.each(ALL)('rejects other servers when it does not federate (version %s)', (version) => {
    const room = unfederated(version);
    expect(() => authorise(message(CAROL)(room), room.roomId, room, room.version)).toThrow(forbidden);
    expect(() => authorise(message(ALICE)(room), room.roomId, room, room.version)).not.toThrow();
  });
});

describe('other events', () => {
  runTable([
    { name: 'a message by a member', allowed: true, event: message(BOB) },
    { name: 'a message by a stranger', allowed: false, event: message(CAROL) },
    { name: 'a message by an invited user', allowed: false, room: carolIs('invite'), event: message(CAROL) },
    { name: 'state at state_default', allowed: true, event: state(BOB) },
    { name: 'state below state_default', allowed: false, room: carolIs('join'), event: state(CAROL) },
    {
      name: 'a message below its own level',
      allowed: false,
      event: (room) => room.event({ type: 'special', sender: BOB, content: {} }),
    },
    {
      name: 'a message at its own level',
      allowed: true,
      event: (room) => room.event({ type: 'special', sender: ALICE, content: {} }),
    },
    {
      name: 'a message below events_default',
      allowed: false,
      room: levels({ events_default: 1 }),
      event: message(BOB),
    },
    {
      name: 'a type named like a property of objects',
      allowed: true,
      event: (room) => room.event({ type: 'constructor', sender: BOB, content: {} }),
    },
    { name: "state under the user's own ID", allowed: true, event: state(BOB, BOB) },
    { name: "state under another user's ID", allowed: false, event: state(ALICE, BOB) },
    {
      name: 'state by the creator without power levels',
      allowed: true,
      room: dropLevels,
      event: state(ALICE),
    },
    { name: 'state by others without power levels', allowed: false, room: dropLevels, event: state(BOB) },
    { name: 'messages by others without power levels', allowed: true, room: dropLevels, event: message(BOB) },
    {
      name: 'anything under broken power levels',
      allowed: false,
      room: levels({ users: { [BOB]: 'x' } }),
      event: message(BOB),
    },
  ]);
});

describe('m.room.aliases', () => {
  const aliases = (sender: string, stateKey?: string) => (room: TestRoom) => {
    const event = room.event({ type: 'm.room.aliases', sender, content: { aliases: [] } });
    return stateKey === undefined ? event : { ...event, state_key: stateKey };
  };
  runTable([
    {
      name: "a stranger's own server",
      allowed: true,
      versions: versions(1, 5),
      event: aliases(CAROL, 'there'),
    },
    { name: 'another server', allowed: false, versions: versions(1, 5), event: aliases(CAROL, 'here') },
    { name: 'no state_key', allowed: false, versions: versions(1, 5), event: aliases(CAROL) },
    {
      name: 'a stranger from version 6',
      allowed: false,
      versions: versions(6, 12),
      event: aliases(CAROL, 'there'),
    },
    {
      name: 'a member from version 6',
      allowed: true,
      versions: versions(6, 12),
      event: aliases(ALICE, 'there'),
    },
  ]);
});

describe('m.room.redaction', () => {
  const redaction = (sender: string, ids: object) => (room: TestRoom) => ({
    ...room.event({ type: 'm.room.redaction', sender, content: {} }),
    ...ids,
  });
  const own = { event_id: '$r:there', redacts: '$x:there' };
  const foreign = { event_id: '$r:there', redacts: '$x:here' };
  runTable([
    { name: 'the own server', allowed: true, room: carolIs('join'), event: redaction(CAROL, own) },
    {
      name: "another server's event in versions 1 and 2",
      allowed: false,
      versions: versions(1, 2),
      room: carolIs('join'),
      event: redaction(CAROL, foreign),
    },
    {
      name: 'events without a server name in versions 1 and 2',
      allowed: false,
      versions: versions(1, 2),
      room: carolIs('join'),
      event: redaction(CAROL, { redacts: '$x' }),
    },
    { name: "another server's event with the level", allowed: true, event: redaction(BOB, foreign) },
    {
      name: "another server's event from version 3, as it is judged when it is applied",
      allowed: true,
      versions: versions(3, 12),
      room: carolIs('join'),
      event: redaction(CAROL, foreign),
    },
  ]);
});

describe('room version 12 creators', () => {
  const withCreators = () =>
    new TestRoom('12', { additional_creators: [BOB] })
      .withMember(ALICE, 'join')
      .withMember(BOB, 'join')
      .withMember(CAROL, 'join')
      .withState('m.room.power_levels', {
        users: { [CAROL]: 9007199254740991 },
        events: { x: 9007199254740991 },
      });
  const may = (event: (room: TestRoom) => Pdu) => () => {
    const room = withCreators();
    authorise(event(room), room.roomId, room, room.version);
  };

  it('stand above every level', () => {
    expect(may(state(ALICE, '', 'x'))).not.toThrow();
    expect(may(state(BOB, '', 'x'))).not.toThrow();
    expect(may(membership(CAROL, 'ban', BOB))).not.toThrow();
  });

  it('cannot be removed, by each other neither', () => {
    expect(may(membership(BOB, 'leave', CAROL))).toThrow(forbidden);
    expect(may(membership(BOB, 'ban', ALICE))).toThrow(forbidden);
    expect(may(membership(ALICE, 'ban', BOB))).toThrow(forbidden);
  });
});
