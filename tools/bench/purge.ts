import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { createRoom, sendMessage } from '../shared/matrix.ts';
import { type Bench, type Measurement, percentile } from './bench.ts';
import { memoryOf } from './cpu.ts';

const sends = 100;

/**
 * A room of `size` events is purged by one call, while messages are sent into another one. Its events are put
 * into the database as sending them would have stored them: with facts and transactions, some 500 bytes each.
 */
export async function purgeRoom(bench: Bench, size: number): Promise<Measurement> {
  const admin = await bench.admin();
  const [roomId, other] = [await createRoom(bench.client, admin), await createRoom(bench.client, admin)];
  await fill(bench.env['SENESCHAL_DATABASE_URL'], roomId, admin.userId, size);
  const idle = await times(bench, other, () => false);
  const purged = await bench.measure('purge-room', size, size, async () => {
    const before = memoryOf(bench.pids.server).now;
    let highest = before;
    const samples = setInterval(() => {
      highest = Math.max(highest, memoryOf(bench.pids.server).now);
    }, 20);
    const path = `/_dendrite/admin/purgeRoom/${encodeURIComponent(roomId)}`;
    await bench.client.expect('POST', path, { token: admin.token });
    clearInterval(samples);
    return { grewMiB: highest - before };
  });
  const again = await createRoom(bench.client, admin);
  await fill(bench.env['SENESCHAL_DATABASE_URL'], again, admin.userId, size);
  let isOver = false;
  const path = `/_dendrite/admin/purgeRoom/${encodeURIComponent(again)}`;
  const purging = bench.client.expect('POST', path, { token: admin.token }).finally(() => {
    isOver = true;
  });
  const busy = await times(bench, other, () => isOver);
  await purging;
  const more = {
    ...purged.more,
    sendP99IdleMs: percentile(idle, 0.99),
    sendP99BusyMs: percentile(busy, 0.99),
    sendsWhileBusy: busy.length,
  };
  return { ...purged, more };
}

/** How long messages take one after the other, `sends` of them or until it is over. */
async function times(bench: Bench, roomId: string, isOver: () => boolean): Promise<number[]> {
  const admin = await bench.admin();
  const run = randomBytes(4).toString('hex');
  const taken: number[] = [];
  while (taken.length < sends && !isOver()) {
    const started = performance.now();
    await sendMessage(bench.client, admin, roomId, `${run}${taken.length}`, 'Call me Ishmael.');
    taken.push(performance.now() - started);
  }
  return taken;
}

async function fill(url: string | undefined, roomId: string, sender: string, size: number): Promise<void> {
  const database = new pg.Client(url);
  await database.connect();
  try {
    await database.query(
      `WITH new AS MATERIALIZED (
        SELECT n, nextval('roomserver_output_position') AS position FROM generate_series(1, $3::int) AS n
      ), room AS (
        UPDATE roomserver_rooms SET last_position = (SELECT max(position) FROM new)
        WHERE room_id = $1 RETURNING room_nid
      ), named AS MATERIALIZED (
        SELECT position, room_nid, '$' || translate(rtrim(encode(sha256(($1 || n)::bytea), 'base64'), '='), '+/', '-_') AS event_id
        FROM new, room
      ), facts AS (
        INSERT INTO roomserver_output (position, fact, created_ts)
        SELECT position, jsonb_build_object('kind', 'events_stored', 'roomId', $1::text, 'first', position,
          'count', 1, 'memberships', '[]'::jsonb), 0 FROM new
      ), sent AS (
        INSERT INTO roomserver_transactions (user_id, device_id, transaction_id, room_nid, event_id, created_ts)
        SELECT $2, 'BENCH', 't' || position, room_nid, event_id, 0 FROM named
      )
      INSERT INTO roomserver_events (position, room_nid, event_id, type, sender, json)
      SELECT position, room_nid, event_id, 'm.room.message', $2,
        jsonb_build_object('type', 'm.room.message', 'sender', $2::text, 'room_id', $1::text,
          'content', jsonb_build_object('msgtype', 'm.text', 'body', repeat('whale ', 40)),
          'prev_events', jsonb_build_array(event_id), 'depth', position)::text
      FROM named`,
      [roomId, sender, size],
    );
    await database.query('ANALYZE roomserver_events, roomserver_output, roomserver_transactions');
  } finally {
    await database.end();
  }
}
