import { type Kysely, sql } from 'kysely';

import type { ReadUpTo, Receipt } from '@seneschal/contracts';

import type { UserapiTables, UserapiTransaction } from './tables.ts';

/** Which of the receipts say more than those that are there; to be asked with the lock of the log held. */
export async function advancing(trx: UserapiTransaction, receipts: readonly Receipt[]): Promise<Receipt[]> {
  const result = await sql<{ n: number }>`
    SELECT n.n FROM ${rowsOf(receipts)} LEFT JOIN userapi_receipts r USING (room_id, user_id, type, thread_id)
    WHERE r.event_position IS NULL OR r.event_position < n.event_position
  `.execute(trx);
  const numbers = new Set(result.rows.map(({ n }) => n));
  return receipts.filter((_, index) => numbers.has(index + 1));
}

export async function upsertReceipts(
  trx: UserapiTransaction,
  receipts: readonly (Receipt & { position: number })[],
): Promise<void> {
  await sql`
    INSERT INTO userapi_receipts (room_id, user_id, type, thread_id, event_id, event_position, ts, position)
    SELECT n.room_id, n.user_id, n.type, n.thread_id, n.event_id, n.event_position, placed.ts, placed.position
    FROM ${rowsOf(receipts)} JOIN unnest(
      ${receipts.map((one) => one.ts)}::bigint[], ${receipts.map((one) => one.position)}::bigint[]
    ) WITH ORDINALITY AS placed (ts, position, n) USING (n)
    ON CONFLICT (room_id, user_id, type, thread_id) DO UPDATE SET event_id = excluded.event_id,
      event_position = excluded.event_position, ts = excluded.ts, position = excluded.position
  `.execute(trx);
}

function rowsOf(receipts: readonly Receipt[]): ReturnType<typeof sql> {
  return sql`unnest(
    ${receipts.map((one) => one.roomId)}::text[], ${receipts.map((one) => one.userId)}::text[],
    ${receipts.map((one) => one.type)}::text[], ${receipts.map((one) => one.threadId ?? '')}::text[],
    ${receipts.map((one) => one.eventId)}::text[], ${receipts.map((one) => one.eventPosition)}::bigint[]
  ) WITH ORDINALITY AS n (room_id, user_id, type, thread_id, event_id, event_position, n)`;
}

/** The rooms in which receipts came in (from, to]; undefined when there are more than `limit`. */
export async function roomsWithReceipts(
  db: Kysely<UserapiTables>,
  range: { from: number; to: number; limit: number },
): Promise<string[] | undefined> {
  const result = await sql<{ room_id: string }>`
    SELECT room_id FROM userapi_receipts WHERE position > ${range.from} AND position <= ${range.to}
    LIMIT ${range.limit + 1}
  `.execute(db);
  if (result.rows.length > range.limit) return undefined;
  return [...new Set(result.rows.map((row) => row.room_id))];
}

interface Row {
  room_id: string;
  user_id: string;
  type: Receipt['type'];
  thread_id: string;
  event_id: string;
  event_position: number;
  ts: number;
}

/** Receipts that the user may see, in rooms from a position each: the newest of a room, and the user's own. */
export async function selectReceipts(
  db: Kysely<UserapiTables>,
  { userId, ignored }: { userId: string; ignored: readonly string[] },
  rooms: readonly { roomId: string; from: number }[],
  to: number,
): Promise<Receipt[]> {
  const result = await sql<Row>`
    SELECT DISTINCT r.* FROM unnest(
      ${rooms.map((room) => room.roomId)}::text[], ${rooms.map((room) => room.from)}::bigint[]
    ) AS q (room_id, start) CROSS JOIN LATERAL (
      (SELECT ${columns} FROM userapi_receipts
        WHERE room_id = q.room_id AND position > q.start AND position <= ${to} AND type = 'm.read'
          AND user_id <> ALL (${[...ignored]}::text[])
        ORDER BY position DESC LIMIT ${mostOfRoom})
      UNION ALL
      (SELECT ${columns} FROM userapi_receipts
        WHERE room_id = q.room_id AND user_id = ${userId} AND position > q.start AND position <= ${to})
    ) AS r
  `.execute(db);
  return result.rows.map(receiptOf);
}

/** Public receipts that were set at positions, and not moved on since. */
export async function selectPublicReceipts(
  db: Kysely<UserapiTables>,
  positions: readonly number[],
): Promise<Receipt[]> {
  const result = await sql<Row>`
    SELECT ${columns} FROM userapi_receipts WHERE position = ANY(${[...positions]}::bigint[]) AND type = 'm.read'
  `.execute(db);
  return result.rows.map(receiptOf);
}

function receiptOf(row: Row): Receipt {
  return {
    roomId: row.room_id,
    userId: row.user_id,
    type: row.type,
    threadId: row.thread_id === '' ? null : row.thread_id,
    eventId: row.event_id,
    eventPosition: row.event_position,
    ts: row.ts,
  };
}

const columns = sql`room_id, user_id, type, thread_id, event_id, event_position, ts`;
/** In a room of thousands nobody looks at everybody's receipts. */
const mostOfRoom = 200;

/** Up to where the user has read rooms; rooms without a receipt are not in it. */
export async function selectReadUpTo(
  db: Kysely<UserapiTables>,
  userId: string,
  roomIds: readonly string[],
): Promise<Map<string, ReadUpTo>> {
  const result = await sql<{ room_id: string; thread_id: string; event_position: number }>`
    SELECT room_id, thread_id, max(event_position) AS event_position FROM userapi_receipts
    WHERE room_id = ANY(${[...roomIds]}::text[]) AND user_id = ${userId} GROUP BY room_id, thread_id
  `.execute(db);
  const rooms = new Map<string, { all: number; threads: Map<string, number> }>();
  for (const { room_id: roomId, thread_id: threadId, event_position: position } of result.rows) {
    const room = rooms.get(roomId) ?? { all: 0, threads: new Map<string, number>() };
    rooms.set(roomId, room);
    if (threadId === '') room.all = position;
    else room.threads.set(threadId, position);
  }
  return rooms;
}
