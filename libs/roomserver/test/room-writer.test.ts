import { changeMembership } from '../src/commands/change-membership.ts';
import { sendEvent } from '../src/commands/send-event.ts';
import { alice, Rooms } from './rooms.ts';

let rooms: Rooms;
beforeAll(async () => {
  rooms = await Rooms.open();
});
afterAll(() => rooms.stop());

const message = (body: string) => ({ msgtype: 'm.text', body });

describe('RoomWriter', () => {
  it('stores what comes at once in one chain', async () => {
    const roomId = await rooms.create();
    const sent = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        rooms.send(roomId, alice, 'm.room.message', message(`${index}`)),
      ),
    );
    const events = await rooms.events(roomId);
    expect(
      events
        .slice(-100)
        .map((event) => event.event_id)
        .sort(),
    ).toEqual(sent.map((one) => one.eventId).sort());
    const ids = events.map((event) => event.event_id);
    expect(events.slice(1).map(({ pdu }) => pdu.prev_events)).toEqual(ids.slice(0, -1).map((id) => [id]));
  });

  it('refuses one of many without harming the others', async () => {
    const roomId = await rooms.create();
    const results = await Promise.allSettled(
      [alice, '@stranger:localhost', alice].map((sender) =>
        rooms.send(roomId, sender, 'm.room.message', message('x')),
      ),
    );
    expect(results.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('several processes write to one room without losing or forking anything', async () => {
    const roomId = await rooms.create();
    const processes = [rooms.process(), rooms.process(), rooms.process()];
    const work = processes.flatMap((deps, p) => [
      ...Array.from({ length: 15 }, (_, index) =>
        sendEvent(deps, { roomId, sender: alice, type: 'm.room.message', content: message(`${p} ${index}`) }),
      ),
      ...Array.from({ length: 5 }, (_, index) => {
        const user = `@p${p}u${index}:localhost`;
        return changeMembership(deps, { roomId, action: 'join', sender: user, target: user });
      }),
    ]);
    await Promise.all(work);
    const events = await rooms.events(roomId);
    const ids = events.map((event) => event.event_id);
    expect(events.slice(1).map(({ pdu }) => pdu.prev_events)).toEqual(ids.slice(0, -1).map((id) => [id]));
    expect(await rooms.room(roomId)).toMatchObject({
      joined_members: 16,
      forward_extremities: ids.slice(-1),
    });
  });

  it('state changed by another process is seen', async () => {
    const roomId = await rooms.create();
    const other = rooms.process();
    const rules = { type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'invite' } };
    await sendEvent(other, { roomId, sender: alice, ...rules });
    await expect(rooms.change(roomId, 'join', '@bob:localhost')).rejects.toMatchObject({ status: 403 });
  });

  it('one transaction makes one event, also when it comes twice at once or through two processes', async () => {
    const roomId = await rooms.create();
    const transaction = { deviceId: 'D', transactionId: 't1' };
    const input = { roomId, sender: alice, type: 'm.room.message', content: message('x'), transaction };
    const all = await Promise.all(
      [rooms.deps, rooms.deps, rooms.process()].map((deps) => sendEvent(deps, input)),
    );
    const again = await sendEvent(rooms.deps, input);
    expect(new Set([...all, again].map((one) => one.eventId)).size).toBe(1);
    const other = await sendEvent(rooms.deps, { ...input, transaction: { ...transaction, deviceId: 'E' } });
    expect(other.eventId).not.toBe(again.eventId);
  });

  it('writes a fact at the position of the last event, and wakes the consumers with it', async () => {
    const roomId = await rooms.create();
    await rooms.joinMany(roomId, 1);
    const last = (await rooms.events(roomId)).at(-1);
    const fact = await rooms.db
      .selectFrom('roomserver_output')
      .selectAll()
      .orderBy('position', 'desc')
      .executeTakeFirstOrThrow();
    expect(fact).toMatchObject({
      position: last?.position,
      fact: {
        kind: 'events_stored',
        roomId,
        first: last?.position,
        count: 1,
        memberships: [{ userId: '@u000:localhost', previous: null, membership: 'join' }],
      },
    });
    expect(rooms.woken).toContain(last?.position);
  });
});
