import { randomBytes } from 'node:crypto';

import { sql } from 'kysely';

import { roomserver } from '@seneschal/contracts';

import type { MadeRoom } from './rooms.ts';
import type { Servers } from './servers.ts';

/** Makes the membership event of a user something that is no event. */
export async function poison(
  { database }: Servers,
  roomId: string,
  userId: string,
  json: string,
): Promise<void> {
  await sql`UPDATE roomserver_events SET json = ${json} FROM roomserver_rooms r
    WHERE r.room_nid = roomserver_events.room_nid AND r.room_id = ${roomId} AND state_key = ${userId}
  `.execute(database.tables());
}

/**
 * Makes a row unreadable for PostgreSQL itself: an event so large that its text is stored apart, of which a
 * piece is then lost, as by a bad disk. Whoever reads the row is answered XX001.
 */
export async function makeUnreadable(servers: Servers, { roomId, users }: MadeRoom): Promise<void> {
  const db = servers.database.tables();
  const [sender = ''] = users;
  const content = { topic: randomBytes(12_000).toString('base64') };
  const topic = { roomId, sender, type: 'm.room.topic', stateKey: '', content };
  const { eventId } = await servers.bus.call(roomserver.sendEvent, topic);
  await sql`CREATE SCHEMA IF NOT EXISTS faults`.execute(db);
  await sql`CREATE EXTENSION IF NOT EXISTS pg_surgery SCHEMA faults`.execute(db);
  const { rows } = await sql<{ apart: string; chunk: string }>`
    SELECT reltoastrelid::regclass::text AS apart, pg_column_toast_chunk_id(json)::text AS chunk
    FROM roomserver_events, pg_class
    WHERE event_id = ${eventId} AND pg_class.oid = 'roomserver_events'::regclass
  `.execute(db);
  const [{ apart, chunk } = { apart: '', chunk: '' }] = rows;
  await sql`SELECT faults.heap_force_kill(${apart}::regclass, ARRAY(
    SELECT ctid FROM ${sql.raw(apart)} WHERE chunk_id = ${chunk}::oid
  ))`.execute(db);
}

/** Lets nothing delete the events of a room, until it is told otherwise. */
export async function forbidDeletes(
  { database }: Servers,
  roomNid: number,
  isForbidden: boolean,
): Promise<void> {
  const db = database.tables();
  if (!isForbidden) {
    await sql`DROP TRIGGER faults_forbidden ON roomserver_events`.execute(db);
    return;
  }
  await sql`CREATE OR REPLACE FUNCTION faults_forbidden() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'forbidden by a test'; END $$`.execute(db);
  await sql`CREATE TRIGGER faults_forbidden BEFORE DELETE ON roomserver_events
    FOR EACH ROW WHEN (OLD.room_nid = ${sql.raw(String(roomNid))}) EXECUTE FUNCTION faults_forbidden()`.execute(
    db,
  );
}
