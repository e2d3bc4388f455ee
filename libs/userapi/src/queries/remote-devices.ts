import { sql } from 'kysely';

import type { RemoteDeviceKeys } from '@seneschal/contracts';
import { isJsonObject, type JsonObject, own } from '@seneschal/matrix';

import { selectSignatures, signedKey } from '../storage/cross-signing.ts';
import type { UserapiDb } from '../storage/tables.ts';
import { signed } from './cross-signing-keys.ts';

/** A page of the users of a server whose devices are held, in order of user ID. */
export async function remoteUsersOf(
  db: UserapiDb,
  serverName: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('userapi_remote_device_lists')
    .select('user_id')
    .where('server_name', '=', serverName)
    .where('user_id', '>', after)
    .orderBy('user_id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.user_id);
}

export async function countRemoteUsers(db: UserapiDb, serverName: string): Promise<number> {
  const { count } = await db
    .selectFrom('userapi_remote_device_lists')
    .select((query) => query.fn.countAll<number>().as('count'))
    .where('server_name', '=', serverName)
    .executeTakeFirstOrThrow();
  return count;
}

interface Row {
  user_id: string;
  is_stale: boolean;
  master_key: string | null;
  self_signing_key: string | null;
  device_id: string | null;
  keys: string | null;
  display_name: string | null;
}

/**
 * What is held of remote users' keys; users whose list was never fetched are not in it.
 * @param wanted devices by user; an empty list asks for all of them
 * @param requester whose signatures on the master keys are told too
 */
export async function remoteDeviceKeys(
  db: UserapiDb,
  wanted: Record<string, string[]>,
  requester: string,
): Promise<Map<string, RemoteDeviceKeys>> {
  const result = await sql<Row>`
    SELECT l.user_id, l.is_stale, l.master_key, l.self_signing_key, d.device_id, d.keys, d.display_name
    FROM userapi_remote_device_lists l LEFT JOIN userapi_remote_devices d USING (user_id)
    WHERE l.user_id = ANY(${Object.keys(wanted)}::text[]) AND l.fetched_ts > 0
  `.execute(db);
  const users = new Map<string, RemoteDeviceKeys>();
  for (const row of result.rows) {
    const user = users.get(row.user_id) ?? {
      isStale: row.is_stale,
      deviceKeys: {},
      masterKey: parsed(row.master_key),
      selfSigningKey: parsed(row.self_signing_key),
    };
    users.set(row.user_id, user);
    const only = wanted[row.user_id] ?? [];
    const keys = parsed(row.keys);
    if (row.device_id === null || keys === null) continue;
    if (only.length > 0 && !only.includes(row.device_id)) continue;
    user.deviceKeys[row.device_id] = withName(keys, row.display_name);
  }
  return withSignatures(db, users, requester);
}

async function withSignatures(
  db: UserapiDb,
  users: Map<string, RemoteDeviceKeys>,
  requester: string,
): Promise<Map<string, RemoteDeviceKeys>> {
  const added = users.size === 0 ? undefined : await selectSignatures(db, [...users.keys()], requester);
  for (const [userId, user] of users) {
    const [keyId] = Object.keys(own(user.masterKey, 'keys') ?? {});
    const extra = added?.get(signedKey(userId, keyId?.slice('ed25519:'.length) ?? ''));
    if (user.masterKey !== null) user.masterKey = signed(user.masterKey, extra);
  }
  return users;
}

function parsed(text: string | null): JsonObject | null {
  const value: unknown = text === null ? null : JSON.parse(text);
  return isJsonObject(value) ? value : null;
}

function withName(keys: JsonObject, name: string | null): JsonObject {
  return name === null ? keys : { ...keys, unsigned: { device_display_name: name } };
}
