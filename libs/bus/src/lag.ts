import { type Kysely, sql } from 'kysely';

import type { EventLog } from '@seneschal/contracts';
import { lastPosition } from '@seneschal/database';

/** How far one consumer is behind the end of its log. */
export interface Lag {
  consumer: string;
  log: string;
  /** Facts that are not applied yet. */
  facts: number;
  /** Age of the oldest of them, in ms. */
  ms: number;
}

/** How far the consumers of a log are behind, by their checkpoints; those without one keep none. */
export async function lagOf(db: Kysely<unknown>, log: EventLog<unknown>, now: number): Promise<Lag[]> {
  const end = await lastPosition(db, log.table);
  const found = await sql<{ consumer: string; position: number; oldest: number | null }>`
    SELECT c.consumer, c.position, next.created_ts AS oldest
    FROM bus_checkpoints c LEFT JOIN LATERAL (
      SELECT created_ts FROM ${sql.id(log.table)} WHERE position > c.position ORDER BY position LIMIT 1
    ) next ON true
    WHERE c.consumer = ANY(${[...log.consumers]}::text[])
  `.execute(db);
  return found.rows.map(({ consumer, position, oldest }) => ({
    consumer,
    log: log.table,
    facts: Math.max(end - position, 0),
    ms: oldest === null ? 0 : Math.max(now - oldest, 0),
  }));
}
