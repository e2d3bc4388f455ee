import { type Kysely, sql } from 'kysely';

import type { OutgoingToDevice } from '@seneschal/contracts';

import type { UserapiTables, UserapiTransaction } from './tables.ts';

/** Keeps messages to devices of other servers until they are taken over. */
export async function insertOutgoing(
  trx: UserapiTransaction,
  position: number,
  outgoing: readonly OutgoingToDevice[],
): Promise<void> {
  await sql`
    INSERT INTO userapi_to_device_outbox (position, number, server_name, message_id, sender, type, messages)
    SELECT ${position}::bigint, n.number, n.server_name, n.message_id, n.sender, n.type, n.messages FROM unnest(
      ${outgoing.map((one) => one.serverName)}::text[], ${outgoing.map((one) => one.messageId)}::text[],
      ${outgoing.map((one) => one.sender)}::text[], ${outgoing.map((one) => one.type)}::text[],
      ${outgoing.map((one) => JSON.stringify(one.messages))}::json[]
    ) WITH ORDINALITY AS n (server_name, message_id, sender, type, messages, number)
  `.execute(trx);
}

/** In the order in which they were sent. */
export async function selectOutgoing(
  db: Kysely<UserapiTables>,
  positions: readonly number[],
): Promise<OutgoingToDevice[]> {
  const result = await sql<OutgoingToDevice>`
    SELECT server_name AS "serverName", message_id AS "messageId", sender, type, messages
    FROM userapi_to_device_outbox WHERE position = ANY(${[...positions]}::bigint[]) ORDER BY position, number
  `.execute(db);
  return result.rows;
}

export async function removeOutgoing(db: Kysely<UserapiTables>, upTo: number): Promise<void> {
  await db.deleteFrom('userapi_to_device_outbox').where('position', '<=', upTo).execute();
}

/** How long a repetition is known for one, in ms: servers give up before that. */
const remembered = 30 * 86_400_000;
/** Old IDs that are forgotten with each delivery. */
const forgottenAtOnce = 200;

/** Those of the messages of a server that were not received before; from here on they were. */
export async function markReceived(
  trx: UserapiTransaction,
  serverName: string,
  messageIds: readonly string[],
): Promise<Set<string>> {
  const now = Date.now();
  await sql`
    DELETE FROM userapi_received_messages WHERE (server_name, message_id) IN (
      SELECT server_name, message_id FROM userapi_received_messages WHERE received_ts < ${now - remembered}
      LIMIT ${forgottenAtOnce} FOR UPDATE SKIP LOCKED
    )
  `.execute(trx);
  const result = await sql<{ message_id: string }>`
    INSERT INTO userapi_received_messages (server_name, message_id, received_ts)
    SELECT ${serverName}, n, ${now}::bigint FROM unnest(${[...new Set(messageIds)].sort()}::text[]) AS n
    ON CONFLICT DO NOTHING RETURNING message_id
  `.execute(trx);
  return new Set(result.rows.map((row) => row.message_id));
}
