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
