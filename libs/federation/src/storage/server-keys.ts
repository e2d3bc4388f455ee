import { sql } from 'kysely';

import type { FederationDb } from './tables.ts';

export interface StoredServerKey {
  keyId: string;
  publicKey: string;
  validUntil: number;
}

export async function selectServerKey(
  db: FederationDb,
  serverName: string,
  keyId: string,
): Promise<StoredServerKey | undefined> {
  const row = await db
    .selectFrom('federation_server_keys')
    .select(['public_key', 'valid_until_ts'])
    .where('server_name', '=', serverName)
    .where('key_id', '=', keyId)
    .executeTakeFirst();
  return row && { keyId, publicKey: row.public_key, validUntil: row.valid_until_ts };
}

/** Of some keys of some servers those that are stored. */
export async function selectServerKeys(
  db: FederationDb,
  wanted: readonly { serverName: string; keyId: string }[],
): Promise<(StoredServerKey & { serverName: string })[]> {
  const result = await sql<StoredServerKey & { serverName: string }>`
    SELECT k.server_name AS "serverName", k.key_id AS "keyId", k.public_key AS "publicKey",
      k.valid_until_ts AS "validUntil"
    FROM federation_server_keys k JOIN (
      SELECT DISTINCT server_name, key_id FROM unnest(
        ${wanted.map((one) => one.serverName)}::text[], ${wanted.map((one) => one.keyId)}::text[]
      ) AS w (server_name, key_id)
    ) AS wanted USING (server_name, key_id)
  `.execute(db);
  return result.rows;
}

/** Those of the servers of which any key is known. */
export async function serversWithKeys(
  db: FederationDb,
  serverNames: readonly string[],
): Promise<Set<string>> {
  const result = await sql<{ server_name: string }>`
    SELECT DISTINCT server_name FROM federation_server_keys WHERE server_name = ANY(${[...serverNames]}::text[])
  `.execute(db);
  return new Set(result.rows.map((row) => row.server_name));
}

/** Stores keys of a server. A key keeps its content for ever; what may change is how long it is valid. */
export async function upsertServerKeys(
  db: FederationDb,
  serverName: string,
  keys: readonly StoredServerKey[],
): Promise<void> {
  await sql`
    INSERT INTO federation_server_keys AS k (server_name, key_id, public_key, valid_until_ts)
    SELECT ${serverName}, n.key_id, n.public_key, n.valid_until_ts FROM unnest(
      ${keys.map((one) => one.keyId)}::text[],
      ${keys.map((one) => one.publicKey)}::text[],
      ${keys.map((one) => one.validUntil)}::bigint[]
    ) AS n (key_id, public_key, valid_until_ts)
    ON CONFLICT (server_name, key_id) DO UPDATE SET valid_until_ts = excluded.valid_until_ts
    WHERE k.public_key = excluded.public_key
  `.execute(db);
}

/** Keeps what a server answered, to be passed on. */
export async function upsertKeyAnswer(
  db: FederationDb,
  answer: { serverName: string; validUntil: number; json: string },
): Promise<void> {
  const row = { valid_until_ts: answer.validUntil, json: answer.json };
  await db
    .insertInto('federation_key_answers')
    .values({ server_name: answer.serverName, ...row })
    .onConflict((conflict) => conflict.column('server_name').doUpdateSet(row))
    .execute();
}

/** What servers last answered, with how long they said it is valid. */
export async function selectKeyAnswers(
  db: FederationDb,
  serverNames: readonly string[],
): Promise<Map<string, { validUntil: number; json: string }>> {
  const rows = await db
    .selectFrom('federation_key_answers')
    .selectAll()
    .where('server_name', 'in', ['', ...serverNames])
    .execute();
  return new Map(rows.map((row) => [row.server_name, { validUntil: row.valid_until_ts, json: row.json }]));
}
