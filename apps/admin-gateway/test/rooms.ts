import type { TestAnswer, TestClient } from '@seneschal/testing';
import { sql } from 'kysely';

import type { Stage } from './stage.ts';

export const purgePath = (roomId: string): string =>
  `/_dendrite/admin/purgeRoom/${encodeURIComponent(roomId)}`;

export const roomPath = (roomId: string, rest: string): string =>
  `/rooms/${encodeURIComponent(roomId)}${rest}`;

let transactions = 0;

/** Sends a message; answers its event ID. */
export async function say(client: TestClient, roomId: string, body: string): Promise<string> {
  transactions += 1;
  const path = roomPath(roomId, `/send/m.room.message/p${transactions}`);
  return (await client.call('PUT', path, { msgtype: 'm.text', body }))['event_id'] as string;
}

interface Synced {
  next_batch: string;
  rooms: Record<'join' | 'leave' | 'invite', Record<string, { timeline: { events: SyncedEvent[] } }>>;
}

export interface SyncedEvent {
  type: string;
  state_key?: string;
  event_id: string;
  content: Record<string, unknown>;
}

export async function sync(client: TestClient, since?: string): Promise<Synced> {
  const query = since === undefined ? '' : `?since=${since}`;
  return (await client.call('GET', `/sync${query}`)) as unknown as Synced;
}

/** Adds messages to a room without the work that sending each of them takes. */
export async function fill(stage: Stage, roomId: string, count: number): Promise<void> {
  await sql`
    WITH new AS MATERIALIZED (
      SELECT nextval('roomserver_output_position') AS position FROM generate_series(1, ${count}::int)
    ), facts AS (
      INSERT INTO roomserver_output (position, fact, created_ts)
      SELECT position, jsonb_build_object('kind', 'events_stored', 'roomId', ${roomId}::text, 'first', position,
        'count', 1, 'memberships', '[]'::jsonb), 0 FROM new
    ), room AS (
      UPDATE roomserver_rooms SET last_position = (SELECT max(position) FROM new)
      WHERE room_id = ${roomId} RETURNING room_nid
    )
    INSERT INTO roomserver_events (position, room_nid, event_id, type, sender, json)
    SELECT position, room_nid, '$filled' || position, 'm.room.message', '@filler:test.example',
      '{"content":{},"sender":"@filler:test.example","type":"m.room.message"}'
    FROM new, room
  `.execute(stage.world.sql);
}

/** Rows that still carry the number of a room, in all tables of the room server. */
export async function rowsOfNumber(stage: Stage, roomNid: number): Promise<number> {
  const found = await sql<{ count: number }>`
    SELECT (SELECT count(*) FROM roomserver_events WHERE room_nid = ${roomNid})
      + (SELECT count(*) FROM roomserver_memberships WHERE room_nid = ${roomNid})
      + (SELECT count(*) FROM roomserver_current_state WHERE room_nid = ${roomNid})
      + (SELECT count(*) FROM roomserver_aliases WHERE room_nid = ${roomNid})
      + (SELECT count(*) FROM roomserver_rooms WHERE room_nid = ${roomNid}) AS count
  `.execute(stage.world.sql);
  return found.rows[0]?.count ?? 0;
}

export async function numberOf(stage: Stage, roomId: string): Promise<number> {
  const found = await sql<{ room_nid: number }>`
    SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(stage.world.sql);
  return found.rows[0]?.room_nid ?? 0;
}

/** A request of the administrator, with headers. */
export function post(stage: Stage, path: string, headers: Record<string, string> = {}): Promise<TestAnswer> {
  return stage.admin.request('POST', path, { headers });
}
