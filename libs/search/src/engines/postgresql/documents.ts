import { type Kysely, sql } from 'kysely';

import type { SearchDocument } from '../../documents/document.ts';
import type { IndexedDocument, IndexRef } from '../engine.ts';
import { bounded, separated, tableOf } from './tables.ts';

export async function upsertDocuments(
  db: Kysely<unknown>,
  index: IndexRef,
  documents: readonly SearchDocument[],
): Promise<void> {
  if (documents.length === 0) return;
  const column = <T>(of: (document: SearchDocument) => T): T[] => documents.map(of);
  await sql`
    INSERT INTO ${tableOf(index)} (event_id, room_id, sender, type, position, has_url, body, words)
    SELECT event_id, room_id, sender, type, position, has_url, body, to_tsvector(${index.language}::regconfig, ${separated(sql`body`)})
    FROM unnest(
      ${column((one) => one.eventId)}::text[], ${column((one) => one.roomId)}::text[],
      ${column((one) => one.sender)}::text[], ${column((one) => one.type)}::text[],
      ${column((one) => one.position)}::bigint[], ${column((one) => one.hasUrl)}::boolean[],
      ${column((one) => one.text)}::text[]
    ) AS new (event_id, room_id, sender, type, position, has_url, body)
    ON CONFLICT (event_id) DO UPDATE SET room_id = EXCLUDED.room_id, sender = EXCLUDED.sender,
      type = EXCLUDED.type, position = EXCLUDED.position, has_url = EXCLUDED.has_url, body = EXCLUDED.body,
      words = EXCLUDED.words
  `.execute(db);
}

export async function deleteDocuments(
  db: Kysely<unknown>,
  index: IndexRef,
  eventIds: readonly string[],
): Promise<void> {
  if (eventIds.length === 0) return;
  await sql`DELETE FROM ${tableOf(index)} WHERE event_id = ANY(${[...eventIds]}::text[])`.execute(db);
}

export async function deleteRoom(db: Kysely<unknown>, index: IndexRef, roomId: string): Promise<number> {
  const result = await sql`DELETE FROM ${tableOf(index)} WHERE room_id = ${roomId}`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

export async function countDocuments(
  db: Kysely<unknown>,
  index: IndexRef,
  roomIds: readonly string[] | undefined,
): Promise<number> {
  const ofRooms = roomIds === undefined ? sql`` : sql`WHERE room_id = ANY(${[...roomIds]}::text[])`;
  const result = await sql<{ count: number }>`SELECT count(*) FROM ${tableOf(index)} ${ofRooms}`.execute(db);
  return result.rows[0]?.count ?? 0;
}

export async function selectDocuments(
  db: Kysely<unknown>,
  index: IndexRef,
  { after, upTo, roomId }: { after: number; upTo: number; roomId?: string },
  limit: number,
): Promise<IndexedDocument[]> {
  const ofRoom = roomId === undefined ? sql`` : sql`AND room_id = ${roomId}`;
  const result = await sql<{ event_id: string; position: number; body: string }>`
    SELECT event_id, position, body FROM ${tableOf(index)}
    WHERE position > ${after} AND position <= ${bounded(upTo)} ${ofRoom} ORDER BY position LIMIT ${limit}
  `.execute(db);
  return result.rows.map((row) => ({ eventId: row.event_id, position: row.position, text: row.body }));
}
