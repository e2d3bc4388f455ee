import { type Kysely, sql } from 'kysely';

import { outgoingEvents } from '../src/queries/federation/outgoing-events.ts';
import type { RoomserverTables } from '../src/storage/tables.ts';
import { Rooms } from './rooms.ts';

/** Facts that a consumer reads at once. */
const facts = 200;

/** Rows of events that the connection has read. */
async function rowsRead(db: Kysely<RoomserverTables>): Promise<number> {
  const { rows } = await sql<{ read: number }>`
    SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables
    WHERE relname = 'roomserver_events'
  `.execute(db);
  return rows[0]?.read ?? 0;
}

describe('events for other servers', () => {
  let rooms: Rooms;
  beforeAll(async () => {
    rooms = await Rooms.open();
  });
  afterAll(() => rooms.stop());

  it.each([
    { servers: [], events: 0 },
    { servers: ['remote.example'], events: facts },
  ])('are found without reading the rest of a big room ($events of them)', async ({ servers, events }) => {
    const roomId = await rooms.create();
    const { room_nid: roomNid } = await rooms.room(roomId);
    await rooms.fill(roomNid, 20_000);
    for (const server_name of servers) {
      await rooms.db
        .insertInto('roomserver_room_servers')
        .values({ room_nid: roomNid, server_name, joined_members: 1 })
        .execute();
    }
    await sql`ANALYZE roomserver_events`.execute(rooms.db);
    const last = (await rooms.events(roomId)).slice(-facts);
    const stored = last.map(({ position: at }) => ({ roomId, first: at, last: at, origin: undefined }));
    await rooms.db.transaction().execute(async (db) => {
      const before = await rowsRead(db);
      const found = await outgoingEvents({ db, logger: rooms.deps.logger }, 'localhost', stored);
      expect(found.map(({ destinations }) => destinations)).toEqual(Array(events).fill(servers));
      expect((await rowsRead(db)) - before).toBeLessThanOrEqual(2 * facts);
    });
  });
});
