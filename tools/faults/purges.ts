import { createHash } from 'node:crypto';

import { type Job, purgeRoomJob, roomserver, userapi } from '@seneschal/contracts';
import { type Kysely, sql } from 'kysely';

import { consumersRead, fill, type MadeRoom, makeRoom, numberOf, requestedBy, say } from './rooms.ts';
import type { Servers } from './servers.ts';
import type { Ground } from './stand.ts';

type Db = Kysely<unknown>;

export interface PurgeGround extends Ground, MadeRoom {
  roomNid: number;
}

/** What an undisturbed purge comes to. */
export interface PurgeEnd {
  state: Job['state'] | undefined;
  failedItems: number | undefined;
  items: { state: string; reason: string | null }[];
  /** Rows that were deleted, by table, as the record of the deletion has them. */
  counts: Record<string, number>;
  /** Rows that the job has counted, of those that there were to delete. */
  done: number | undefined;
  total: number | null | undefined;
  /** Whether the digest of the record is that of the events which were deleted, each once. */
  isDigestRight: boolean;
  isFinished: boolean;
  /** What still is of the room, by table. */
  left: Record<string, number>;
}

/** A room that something is kept of in every component: messages in the index, account data, a report, an alias. */
export async function purge(servers: Servers, events: number, name?: string): Promise<PurgeGround> {
  const db = servers.database.tables();
  await watchDeletes(db);
  // One by one, as joins that come together share a fact.
  const room = await makeRoom(servers, 5, { name, atOnce: 1 });
  const { roomId, users } = room;
  const [user = ''] = users;
  await fill(servers, { roomId, sender: user, count: events, type: 'org.example.note' });
  for (const userId of users) {
    await servers.bus.call(userapi.setAccountData, { userId, roomId, type: 'org.example', content: {} });
  }
  const eventId = await say(servers, room, 'Call me Ishmael.');
  const report = { roomId, eventId, reporter: user, reason: 'too long', score: -100 };
  await servers.bus.call(roomserver.reportEvent, report);
  await consumersRead(servers);
  return {
    ...room,
    roomNid: await numberOf(db, roomId),
    start: () => startPurge(servers, roomId),
    end: async (jobId) => purgeEnd(servers, await servers.jobs.wait(jobId, 120_000), roomId),
  };
}

export function startPurge({ jobs }: Servers, roomId: string): Promise<{ jobId: string }> {
  const input = { roomId, block: false, evacuate: true, export: false };
  return jobs.start(purgeRoomJob, input, { requestedBy });
}

/** Writes down which events are deleted, in which order they had come. */
async function watchDeletes(db: Db): Promise<void> {
  const exists = await sql`SELECT 1 FROM pg_class WHERE relname = 'faults_deleted'`.execute(db);
  if (exists.rows.length > 0) return;
  await sql`CREATE TABLE faults_deleted (nid bigint, number bigint, name text)`.execute(db);
  await sql`CREATE FUNCTION faults_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO faults_deleted SELECT room_nid, position, event_id FROM gone;
      RETURN NULL;
    END $$`.execute(db);
  await sql`CREATE TRIGGER faults_deleted AFTER DELETE ON roomserver_events REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION faults_deleted()`.execute(db);
}

interface DeletionRow {
  room_nid: number;
  counts: Record<string, number>;
  digest: string;
  finished_ts: number | null;
}

/** What finished commands and remembered replies there are depends on what else has happened. */
const changing = ['bus_replies', 'queued_commands'];

export async function purgeEnd(servers: Servers, job: Job | undefined, roomId: string): Promise<PurgeEnd> {
  const db = servers.database.tables<unknown>();
  const { rows } = await sql<DeletionRow>`
    SELECT room_nid, counts, digest, finished_ts FROM roomserver_deletions WHERE room_id = ${roomId}
  `.execute(db);
  const record = rows[0];
  const all = Object.entries(record?.counts ?? {});
  const { rows: items } = await servers.jobs.reads.items(job?.jobId ?? '', {}, { limit: 100 });
  return {
    state: job?.state,
    failedItems: job?.failedItems,
    items: items.map(({ state, reason }) => ({ state, reason })),
    counts: Object.fromEntries(all.filter(([store]) => !changing.includes(store))),
    done: job?.done,
    total: job?.total,
    isDigestRight: record?.digest === (await digestOfDeleted(db, record?.room_nid ?? 0)),
    isFinished: rows.length === 1 && record?.finished_ts !== null,
    left: await rowsOf(db, roomId, record?.room_nid ?? 0),
  };
}

/** As docs/flows/purge-room.md has it. */
async function digestOfDeleted(db: Db, roomNid: number): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM faults_deleted WHERE nid = ${roomNid} ORDER BY number
  `.execute(db);
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  let digest = '';
  for (let from = 0; from < rows.length; from += 1000) {
    const names = rows.slice(from, from + 1000).map(({ name }) => name);
    digest = hash(digest + hash(names.join('\n')));
  }
  return digest;
}

/** Tables that may remember a room which is gone. */
const mayRemain = ['roomserver_deletions', 'roomserver_departures', 'roomserver_blocked_rooms'];

/** Rows that carry the number or the ID of a room, in every table that has a column for it. */
async function rowsOf(db: Db, roomId: string, roomNid: number): Promise<Record<string, number>> {
  const columns = await sql<{ table: string; column: string }>`
    SELECT table_name AS table, column_name AS column FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name IN ('room_id', 'room_nid') AND NOT table_name = ANY(${mayRemain})
  `.execute(db);
  const left: Record<string, number> = {};
  for (const { table, column } of columns.rows) {
    const value = column === 'room_id' ? roomId : String(roomNid);
    const { rows } = await sql<{ count: number }>`
      SELECT count(*) AS count FROM ${sql.id(table)} WHERE ${sql.id(column)}::text = ${value}
    `.execute(db);
    const count = rows[0]?.count ?? 0;
    if (count > 0) left[table] = count;
  }
  return left;
}
