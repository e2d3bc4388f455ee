import { sql } from 'kysely';

import type { Connection } from '@seneschal/contracts';

import { pruneConnections, upsertConnections } from './connections.ts';
import type { UserapiTransaction } from './tables.ts';

export interface NewDevice {
  userId: string;
  deviceId: string;
  tokenHash: string;
  expiresTs?: number | undefined;
  refreshHash?: string | undefined;
  refreshExpiresTs?: number | undefined;
  displayName: string | null;
  connection: Connection;
}

/** Makes a device; one that exists keeps its name and its keys and gets the new tokens in place of its own. */
export async function upsertDevice(trx: UserapiTransaction, device: NewDevice): Promise<void> {
  const now = Date.now();
  await sql`
    INSERT INTO userapi_devices (user_id, device_id, token_hash, expires_ts, refresh_hash, refresh_expires_ts,
      display_name, created_ts)
    VALUES (${device.userId}, ${device.deviceId}, ${device.tokenHash}, ${device.expiresTs ?? null},
      ${device.refreshHash ?? null}, ${device.refreshExpiresTs ?? null}, ${device.displayName}, ${now})
    ON CONFLICT (user_id, device_id) DO UPDATE SET token_hash = excluded.token_hash,
      expires_ts = excluded.expires_ts, refresh_hash = excluded.refresh_hash,
      refresh_expires_ts = excluded.refresh_expires_ts, next_token_hash = NULL, next_expires_ts = NULL,
      next_refresh_hash = NULL, next_refresh_expires_ts = NULL
  `.execute(trx);
  const seen = { ...device.connection, userId: device.userId, deviceId: device.deviceId, lastSeen: now };
  await upsertConnections(trx, [seen]);
  await pruneConnections(trx, [seen]);
}

/** The devices of a user, locked to the end of the transaction. */
export async function lockDevices(trx: UserapiTransaction, userId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('userapi_devices')
    .select('device_id')
    .where('user_id', '=', userId)
    .orderBy('device_id')
    .forUpdate()
    .execute();
  return rows.map((row) => row.device_id);
}

/** Keeps a device from being deleted until the transaction ends. False when there is none. */
export async function holdDevice(
  trx: UserapiTransaction,
  userId: string,
  deviceId: string,
): Promise<boolean> {
  const held = await trx
    .selectFrom('userapi_devices')
    .select('device_id')
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return held !== undefined;
}

/** Every table whose rows belong to a device; a test holds this list against the database. */
const tablesOfDevice = [
  'userapi_devices',
  'userapi_connections',
  'userapi_pushers',
  'userapi_device_keys',
  'userapi_one_time_keys',
  'userapi_fallback_keys',
  'userapi_to_device',
  'userapi_login_tokens',
  'userapi_openid_tokens',
] as const;

/** Ends sessions: tokens, connections, pushers and all keys of the devices go. */
export async function removeDevices(
  trx: UserapiTransaction,
  userId: string,
  deviceIds: readonly string[],
): Promise<void> {
  await sql`DELETE FROM userapi_key_signatures WHERE user_id = ${userId} AND key_id = ANY(${deviceIds}::text[])`.execute(
    trx,
  );
  for (const table of tablesOfDevice) {
    await sql`DELETE FROM ${sql.id(table)} WHERE user_id = ${userId} AND device_id = ANY(${deviceIds}::text[])`.execute(
      trx,
    );
  }
}
