import { randomBytes } from 'node:crypto';

import { type Kysely, sql, type Transaction } from 'kysely';

import { MatrixError, notFound } from '@seneschal/matrix';

import type { WebhookEvent } from './events.ts';
import type { Receiver } from './receivers.ts';
import type { Outcome } from './send.ts';

export type DeliveryState = 'queued' | 'delivered' | 'failed';

/** One event for one receiver. */
export interface Delivery {
  delivery_id: string;
  event_id: string;
  type: string;
  body: string;
  receiver_id: string;
  receiver: string;
  state: DeliveryState;
  attempts: number;
  next_try_ts: number;
  lease_until: number;
  last_status: number | null;
  last_error: string | null;
  created_ts: number;
  updated_ts: number;
}

type Db = Kysely<unknown> | Transaction<unknown>;

/** An attempt that is not heard of for so long was made by a process that died. */
const leaseMs = 30_000;
const firstWaitMs = 10_000;
const longestWaitMs = 3_600_000;
/** The last attempt is made about 14 hours after the first. */
export const mostAttempts = 20;

/** PostgreSQL's clock in ms: one for all processes. */
const now = sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

/** Writes what is to be told to whom. An event that is known to a receiver is not told again. */
export async function insertDeliveries(
  db: Db,
  serverName: string,
  receivers: readonly Receiver[],
  events: readonly WebhookEvent[],
): Promise<number> {
  if (events.length === 0 || receivers.length === 0) return 0;
  const rows = events.flatMap((event) =>
    receivers.map(({ id, origin }) => ({
      delivery_id: randomBytes(12).toString('hex'),
      event_id: event.id,
      type: event.type,
      body: JSON.stringify({ ...event, server_name: serverName }),
      receiver_id: id,
      receiver: origin,
    })),
  );
  const result = await sql`
    INSERT INTO webhook_deliveries (delivery_id, event_id, type, body, receiver_id, receiver, state, next_try_ts,
      created_ts, updated_ts)
    SELECT r.*, 'queued', ${now}, ${now}, ${now} FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r (
      delivery_id text, event_id text, type text, body text, receiver_id text, receiver text)
    ON CONFLICT (event_id, receiver_id) DO NOTHING
  `.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

/** Takes deliveries of one receiver that are due. Nobody else takes them while the lease lasts. */
export async function claimDeliveries(db: Db, receiverId: string, limit: number): Promise<Delivery[]> {
  const result = await sql<Delivery>`
    UPDATE webhook_deliveries SET lease_until = ${now} + ${leaseMs}, attempts = attempts + 1, updated_ts = ${now}
    WHERE delivery_id IN (
      SELECT delivery_id FROM webhook_deliveries
      WHERE receiver_id = ${receiverId} AND state = 'queued' AND next_try_ts <= ${now} AND lease_until < ${now}
      ORDER BY next_try_ts LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ) RETURNING *
  `.execute(db);
  return result.rows;
}

/** Keeps how an attempt ended, unless somebody else has taken the delivery since. */
export async function settleDelivery(db: Db, delivery: Delivery, outcome: Outcome): Promise<void> {
  const isLast = delivery.attempts >= mostAttempts;
  const state = outcome.ok ? 'delivered' : isLast ? 'failed' : 'queued';
  await sql`
    UPDATE webhook_deliveries SET state = ${state}, lease_until = 0, updated_ts = ${now},
      next_try_ts = ${now} + ${waitAfter(delivery.attempts)}::bigint,
      last_status = ${outcome.status}, last_error = ${outcome.ok ? null : outcome.error}
    WHERE delivery_id = ${delivery.delivery_id} AND attempts = ${delivery.attempts} AND state = 'queued'
  `.execute(db);
}

/** 10 s, 20 s, 40 s … up to an hour. */
export function waitAfter(attempts: number): number {
  return Math.min(firstWaitMs * 2 ** Math.min(attempts - 1, 20), longestWaitMs);
}

export interface DeliveryFilter {
  state?: DeliveryState | undefined;
  type?: string | undefined;
  receiverId?: string | undefined;
}

/** Newest first; `after` is the last delivery of the page before. */
export async function listDeliveries(
  db: Db,
  { state, type, receiverId }: DeliveryFilter,
  { after, limit }: { after: { ts: number; id: string } | undefined; limit: number },
): Promise<Delivery[]> {
  const conditions = [
    ...(state === undefined ? [] : [sql`state = ${state}`]),
    ...(type === undefined ? [] : [sql`type = ${type}`]),
    ...(receiverId === undefined ? [] : [sql`receiver_id = ${receiverId}`]),
    ...(after === undefined
      ? []
      : [sql`(created_ts, delivery_id) < (${after.ts}::bigint, ${after.id}::text)`]),
  ];
  const where = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join(conditions, sql` AND `)}`;
  const result = await sql<Delivery>`
    SELECT * FROM webhook_deliveries ${where} ORDER BY created_ts DESC, delivery_id DESC LIMIT ${limit}
  `.execute(db);
  return result.rows;
}

/**
 * Makes a delivery due at once, with all its attempts anew. M_NOT_FOUND; 409 M_BAD_STATE for one that was
 * delivered, or whose receiver is not configured any more.
 */
export async function retryDelivery(db: Db, id: string, receivers: readonly Receiver[]): Promise<Delivery> {
  const known = receivers.map((receiver) => receiver.id);
  const result = await sql<Delivery>`
    UPDATE webhook_deliveries SET state = 'queued', attempts = 0, next_try_ts = ${now}, lease_until = 0,
      updated_ts = ${now}
    WHERE delivery_id = ${id} AND state <> 'delivered' AND receiver_id = ANY(${known}::text[]) RETURNING *
  `.execute(db);
  const [row] = result.rows;
  if (row !== undefined) return row;
  const found = await sql<Delivery>`SELECT * FROM webhook_deliveries WHERE delivery_id = ${id}`.execute(db);
  if (found.rows[0] === undefined) throw notFound('There is no such delivery.');
  const reason =
    found.rows[0].state === 'delivered' ? 'It was delivered.' : 'Its receiver is not configured any more.';
  throw new MatrixError(409, 'M_BAD_STATE', reason);
}

/** Forgets deliveries that ended longer ago than `retentionMs`, and gives up those of receivers that are no more. */
export async function cleanDeliveries(
  db: Db,
  receivers: readonly Receiver[],
  retentionMs: number,
): Promise<void> {
  const known = receivers.map(({ id }) => id);
  await sql`UPDATE webhook_deliveries SET state = 'failed', updated_ts = ${now},
    last_error = 'The receiver is not configured any more.'
    WHERE state = 'queued' AND NOT receiver_id = ANY(${known}::text[])`.execute(db);
  await sql`DELETE FROM webhook_deliveries WHERE state <> 'queued' AND created_ts < ${now} - ${retentionMs}::bigint
    AND updated_ts < ${now} - ${retentionMs}::bigint`.execute(db);
}

export interface DeliveryCount {
  receiver_id: string;
  state: DeliveryState;
  count: number;
}

export async function countDeliveries(db: Db): Promise<DeliveryCount[]> {
  const result = await sql<DeliveryCount>`
    SELECT receiver_id, state, count(*) AS count FROM webhook_deliveries GROUP BY receiver_id, state
  `.execute(db);
  return result.rows;
}
