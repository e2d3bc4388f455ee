import {
  checkContentHash,
  eventIdOf,
  referenceHash,
  roomVersion,
  supportedRoomVersions,
  verifyEvent,
} from '@seneschal/matrix';

import { signer } from './fixtures.ts';
import { alice, Rooms } from './rooms.ts';

const bob = '@bob:localhost';
let rooms: Rooms;

beforeAll(async () => {
  rooms = await Rooms.open();
});

afterAll(() => rooms.stop());

const badJson = expect.objectContaining({ errcode: 'M_BAD_JSON' }) as Error;

describe.each([...supportedRoomVersions])('a room of version %s', (id) => {
  const version = roomVersion(id);

  it('is made, entered, written to, redacted in and evacuated by events that pass every check', async () => {
    const roomId = await rooms.create({ roomVersion: id });
    await rooms.change(roomId, 'join', bob);
    const { eventId } = await rooms.send(roomId, bob, 'm.room.message', { body: 'hello' });
    await rooms.send(roomId, alice, 'm.room.topic', { topic: 'Moby' }, { stateKey: '' });
    await rooms.send(roomId, alice, 'm.room.redaction', {}, { redacts: eventId });
    expect(await rooms.evacuate(roomId)).toMatchObject({ affected: [alice, bob], failed: [] });
    const events = await rooms.events(roomId);
    expect(new Set(events.map(({ event_id: one }) => one)).size).toBe(events.length);
    for (const { event_id: stored, pdu } of events) {
      expect(eventIdOf(pdu, version)).toBe(stored);
      expect(verifyEvent(pdu, version, 'localhost', signer.key.publicKey)).toBe(true);
      expect(checkContentHash(pdu, version)).toBe(stored !== eventId);
    }
    const redaction = events.find(({ pdu }) => pdu.type === 'm.room.redaction')?.pdu;
    expect(version.redactsInContent ? redaction?.content['redacts'] : redaction?.redacts).toBe(eventId);
    expect(await rooms.memberships(roomId)).toEqual({ [alice]: 'leave', [bob]: 'leave' });
  });

  it('names the events before with their hashes in versions 1 and 2 only', async () => {
    const roomId = await rooms.create({ roomVersion: id });
    // Another process knows nothing of the room but what is stored.
    await rooms.process().writer.run(roomId, {
      users: [alice],
      apply: ({ draft }) => draft.append({ type: 'x', sender: alice, content: {} }),
    });
    const events = await rooms.events(roomId);
    const [parent, last] = events.slice(-2);
    const expected =
      version.eventReferences === 'ids'
        ? [parent?.event_id]
        : [[parent?.event_id, { sha256: parent && referenceHash(parent.pdu, version) }]];
    expect(last?.pdu.prev_events).toEqual(expected);
    expect(typeof last?.pdu.auth_events[0]).toBe(version.eventReferences === 'ids' ? 'string' : 'object');
  });

  it('takes floats before version 6, but never as power levels', async () => {
    const roomId = await rooms.create({ roomVersion: id });
    const send = () => rooms.send(roomId, alice, 'geo', { lat: 1.5 }, { stateKey: '' });
    if (version.strictCanonicalJson) {
      await expect(send()).rejects.toThrow(badJson);
    } else {
      const { eventId } = await send();
      expect((await send()).eventId).toBe(eventId);
    }
    if (version.powerLevelTypes === 'integers') return;
    for (const ban of version.strictCanonicalJson ? ['50'] : [50.5, '50']) {
      const sent = rooms.send(roomId, alice, 'm.room.power_levels', { ban }, { stateKey: '' });
      await expect(sent).rejects.toThrow(badJson);
    }
  });
});

it('goes on in a room of version 1 whose last event is damaged, without its hash', async () => {
  const roomId = await rooms.create({ roomVersion: '1' });
  await rooms.send(roomId, alice, 'm.room.topic', { topic: 'x' }, { stateKey: '' });
  await rooms.change(roomId, 'join', bob);
  await rooms.damage(roomId, bob, () => '{');
  await rooms.process().writer.run(roomId, {
    users: [alice],
    apply: ({ draft }) => draft.append({ type: 'x', sender: alice, content: {} }),
  });
  const rows = await rooms.db
    .selectFrom('roomserver_events')
    .select('json')
    .where('type', '=', 'x')
    .where('json', 'like', '%"prev_events":[[%,{}]]%')
    .execute();
  expect(rows).toHaveLength(1);
});
