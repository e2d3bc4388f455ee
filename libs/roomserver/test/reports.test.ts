import { sql } from 'kysely';

import { reportEvent, reportRoom, reportUser } from '../src/commands/report-content.ts';
import { report, reports } from '../src/queries/reports.ts';
import { countRoomRows } from '../src/storage/room-rows.ts';
import { closeRoom, deleteAll, detach } from './deletion.ts';
import { alice, Rooms } from './rooms.ts';

const anew = { remember: async (): Promise<void> => undefined };

let rooms: Rooms;
beforeAll(async () => {
  rooms = await Rooms.open();
});
afterAll(() => rooms.stop());

/** A room with a report of itself and two of an event in it. */
async function reportedRoom(): Promise<string> {
  const roomId = await rooms.create();
  const { eventId } = await rooms.send(roomId, alice, 'm.room.message', { msgtype: 'm.text', body: 'x' });
  const told = { roomId, reporter: alice, reason: 'rude' };
  await reportEvent(rooms.deps, { ...told, eventId, score: 0 }, anew);
  await reportEvent(rooms.deps, { ...told, eventId, score: -50 }, anew);
  await reportRoom(rooms.deps, told, anew);
  return roomId;
}

const listed = (roomId: string) => reports(rooms.deps, { roomId }, { direction: 'f', limit: 100 });

describe('reports', () => {
  it('V2: go with their room, those of other rooms and of users stay', async () => {
    const [gone, other] = [await reportedRoom(), await reportedRoom()];
    const { reportId } = await reportUser(
      rooms.deps,
      { userId: '@bob:localhost', reporter: alice, reason: '' },
      anew,
    );
    const deletion = (await closeRoom(rooms, gone))!;
    expect(await countRoomRows(rooms.db, deletion)).toMatchObject({ roomserver_reports: 3 });
    await detach(rooms, deletion);
    expect((await listed(gone)).reports).toMatchObject([
      { roomName: '' },
      { roomName: '' },
      { roomName: '' },
    ]);
    const { deleted } = await deleteAll(rooms, deletion, 2);
    expect(deleted).toMatchObject({ roomserver_reports: 3 });
    expect(await countRoomRows(rooms.db, deletion)).toEqual({});
    expect(await listed(gone)).toEqual({ reports: [], total: 0 });
    expect((await listed(other)).total).toBe(3);
    await expect(report(rooms.deps, reportId)).resolves.toMatchObject({ kind: 'user' });
  });

  it('tell the log of themselves', async () => {
    await reportedRoom();
    const facts = await sql<{ kind: string }>`SELECT fact->>'reportKind' AS kind FROM roomserver_output
      WHERE fact->>'kind' = 'content_reported' ORDER BY position DESC LIMIT 3`.execute(rooms.db);
    expect(facts.rows.map((row) => row.kind)).toEqual(['room', 'event', 'event']);
  });
});
