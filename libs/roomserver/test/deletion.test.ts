import { createHash } from 'node:crypto';

import { setRoomAlias } from '../src/commands/room-aliases.ts';
import { forgetRoom } from '../src/commands/forget-room.ts';
import { changedRooms } from '../src/queries/changed-rooms.ts';
import { abandonDeletion } from '../src/storage/deletions.ts';
import { hasUnmarkedDepartures, markDeparturesSeen } from '../src/storage/departures.ts';
import { countRoomRows } from '../src/storage/room-rows.ts';
import { chain, closeRoom, deleteAll, detach } from './deletion.ts';
import { alice, Rooms } from './rooms.ts';

const bob = '@bob:localhost';
const message = { msgtype: 'm.text', body: 'x' };

let rooms: Rooms;
beforeAll(async () => {
  rooms = await Rooms.open();
});
afterAll(() => rooms.stop());

function changed(userId: string, since: number | null, until = Number.MAX_SAFE_INTEGER) {
  return changedRooms({ db: rooms.db, logger: { warn: () => undefined } }, userId, since, until);
}

async function position(roomId: string): Promise<number> {
  return (await rooms.room(roomId)).last_position;
}

describe('a room that is being deleted', () => {
  it('G9: is closed to everybody, and a writer that has read it before stores nothing', async () => {
    const roomId = await rooms.create();
    let closing: Promise<unknown> | undefined;
    // The room is closed between the reading and the storing of this one.
    const late = rooms.deps.writer.run(roomId, {
      users: [alice],
      apply: async ({ draft }) => {
        closing ??= closeRoom(rooms, roomId);
        await closing;
        return draft.append({ type: 'm.room.message', sender: alice, content: message });
      },
    });
    await expect(late).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
    const refused = [
      rooms.send(roomId, alice, 'm.room.message', message),
      rooms.change(roomId, 'join', bob),
      rooms.change(roomId, 'invite', alice, bob),
      setRoomAlias(rooms.deps, { roomId, alias: '#late:localhost', creator: alice }),
    ];
    const refusal = { status: 'rejected', reason: expect.objectContaining({ status: 403 }) as unknown };
    expect(await Promise.allSettled(refused)).toEqual(refused.map(() => refusal));
  });

  it('G9: gone, it is written to by nobody, whatever was under way, and no stub of it comes back', async () => {
    const roomId = await rooms.create();
    const deletion = (await closeRoom(rooms, roomId))!;
    await detach(rooms, deletion);
    await expect(rooms.send(roomId, alice, 'm.room.message', message)).rejects.toMatchObject({ status: 403 });
    await expect(rooms.change(roomId, 'join', bob)).rejects.toMatchObject({ status: 404 });
    await deleteAll(rooms, deletion, 1000);
    expect(await countRoomRows(rooms.db, deletion)).toEqual({});
  });

  it('can be given back as long as it is there, and is as it was', async () => {
    const roomId = await rooms.create();
    await closeRoom(rooms, roomId);
    await rooms.db
      .transaction()
      .execute((transaction) => abandonDeletion(transaction, roomId, `d-${roomId}`));
    await expect(rooms.send(roomId, alice, 'm.room.message', message)).resolves.toBeDefined();
    expect(await changed(alice, 0)).toContainEqual(expect.objectContaining({ roomId, membership: 'join' }));
  });

  it('is begun once, also when it is asked for again half-way', async () => {
    const roomId = await rooms.create();
    const first = (await closeRoom(rooms, roomId))!;
    await detach(rooms, first);
    expect(await closeRoom(rooms, roomId)).toEqual({ ...first, purgedTs: expect.any(Number) as number });
    expect(await closeRoom(rooms, '!unknown:localhost')).toBeUndefined();
  });
});

describe('deleting the rows of a room', () => {
  it('deletes all of them in pages, each once, with the facts that tell of them, and nothing of another room', async () => {
    const other = await rooms.create();
    const roomId = await rooms.create();
    await rooms.joinMany(roomId, 7);
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        rooms.send(roomId, alice, 'm.room.message', message, {
          transaction: { deviceId: 'D', transactionId: `t${index}` },
        }),
      ),
    );
    await rooms.change(roomId, 'leave', '@u000:localhost');
    await forgetRoom(rooms.deps, { roomId, userId: '@u000:localhost' });
    const before = await rooms.events(other);
    const deletion = (await closeRoom(rooms, roomId))!;
    const expected = await countRoomRows(rooms.db, deletion);
    await detach(rooms, deletion);
    const { deleted } = await deleteAll(rooms, deletion, 3);
    expect(deleted).toMatchObject({
      roomserver_events: expected['roomserver_events'],
      roomserver_memberships: 8,
      roomserver_transactions: 30,
      roomserver_current_state: expected['roomserver_current_state'],
    });
    expect(await countRoomRows(rooms.db, deletion)).toEqual({});
    expect(await rooms.events(other)).toEqual(before);
    const facts = await rooms.db.selectFrom('roomserver_output').select('fact').execute();
    const naming = facts
      .map(({ fact }) => fact as { kind: string; roomId: string })
      .filter((fact) => fact.roomId === roomId);
    expect(naming).toEqual([{ kind: 'room_purged', roomId }]);
  });

  it('G7: pages go on where the last one ended, so that each row is passed once', async () => {
    const roomId = await rooms.create();
    const { room_nid: roomNid } = await rooms.room(roomId);
    await rooms.fill(roomNid, 4500);
    const ids = (await rooms.events(roomId)).map((event) => event.event_id);
    const deletion = (await closeRoom(rooms, roomId))!;
    await detach(rooms, deletion);
    const { deleted, digest } = await deleteAll(rooms, deletion, 2000);
    expect(deleted['roomserver_events']).toBe(ids.length);
    const links = Array.from({ length: Math.ceil(ids.length / 1000) }, (_, link) =>
      createHash('sha256')
        .update(ids.slice(link * 1000, (link + 1) * 1000).join('\n'))
        .digest('hex'),
    );
    expect(digest).toBe(links.reduce(chain, ''));
  });

  it('deletes a room of which hardly anything can be read', async () => {
    const roomId = await rooms.create();
    const { room_nid: roomNid } = await rooms.room(roomId);
    await rooms.db
      .updateTable('roomserver_events')
      .set({ json: 'no JSON' })
      .where('room_nid', '=', roomNid)
      .execute();
    await rooms.db.deleteFrom('roomserver_current_state').where('room_nid', '=', roomNid).execute();
    await rooms.db
      .updateTable('roomserver_rooms')
      .set({ room_version: 'nobody.knows' })
      .where('room_nid', '=', roomNid)
      .execute();
    const deletion = (await closeRoom(rooms, roomId))!;
    await detach(rooms, deletion);
    await deleteAll(rooms, deletion, 1000);
    expect(await countRoomRows(rooms.db, deletion)).toEqual({});
  });
});

describe('the rooms that a client is told of', () => {
  it('a purged room is told as left to each token from before, and not to a first sync', async () => {
    const roomId = await rooms.create();
    await rooms.change(roomId, 'join', bob);
    const since = await position(roomId);
    const deletion = (await closeRoom(rooms, roomId))!;
    const purged = await detach(rooms, deletion);
    for (const userId of [alice, bob]) {
      const told = (await changed(userId, since)).filter((room) => room.roomId === roomId);
      expect(told).toEqual([
        expect.objectContaining({
          membership: 'leave',
          position: purged,
          purgedTs: expect.any(Number) as number,
        }),
      ]);
      expect((await changed(userId, purged)).filter((room) => room.roomId === roomId)).toEqual([]);
      expect((await changed(userId, null)).filter((room) => room.roomId === roomId)).toEqual([]);
    }
  });

  it('who left before hears of it with the tokens from before the leaving alone', async () => {
    const roomId = await rooms.create();
    await rooms.change(roomId, 'join', bob);
    const joined = await position(roomId);
    await rooms.change(roomId, 'leave', bob);
    const left = await position(roomId);
    await detach(rooms, (await closeRoom(rooms, roomId))!);
    expect((await changed(bob, joined)).map((room) => room.roomId)).toContain(roomId);
    expect((await changed(bob, left)).map((room) => room.roomId)).not.toContain(roomId);
  });

  it('is forgotten when all devices have come back with a later token', async () => {
    const carol = '@carol:localhost';
    const roomId = await rooms.create();
    await rooms.change(roomId, 'join', carol);
    const before = await position(roomId);
    const since = await detach(rooms, (await closeRoom(rooms, roomId))!);
    const devices = ['A', 'B'];
    const seen = (deviceId: string, at: number) => ({ userId: carol, deviceId, since: at });
    expect(await hasUnmarkedDepartures(rooms.db, seen('A', before))).toBe(false);
    expect(await hasUnmarkedDepartures(rooms.db, seen('A', since))).toBe(true);
    await markDeparturesSeen(rooms.db, { ...seen('A', since), devices });
    expect(await hasUnmarkedDepartures(rooms.db, seen('A', since))).toBe(false);
    expect((await changed(carol, before)).map((room) => room.roomId)).toContain(roomId);
    await markDeparturesSeen(rooms.db, { ...seen('B', since), devices });
    expect((await changed(carol, before)).map((room) => room.roomId)).not.toContain(roomId);
  });
});
