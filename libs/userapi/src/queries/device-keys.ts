import { sql } from 'kysely';

import { isJsonObject, type JsonObject } from '@seneschal/matrix';

import { type AddedSignatures, selectSignatures, signedKey } from '../storage/cross-signing.ts';
import type { UserapiDb } from '../storage/tables.ts';
import { signed } from './cross-signing-keys.ts';

interface Row {
  user_id: string;
  device_id: string;
  keys: string;
  display_name: string | null;
}

/**
 * Identity keys of local users' devices, with the device's name under `unsigned` (client-server API,
 * `POST /keys/query`).
 * @param wanted devices by user; an empty list asks for all of them
 */
export async function deviceKeys(
  db: UserapiDb,
  wanted: Record<string, string[]>,
): Promise<Record<string, Record<string, JsonObject>>> {
  const asked = new Map(Object.entries(wanted).map(([userId, ids]) => [userId, new Set(ids)]));
  const result = await sql<Row>`
    SELECT k.user_id, k.device_id, k.keys, d.display_name
    FROM userapi_device_keys k
    JOIN userapi_devices d ON d.user_id = k.user_id AND d.device_id = k.device_id
    WHERE k.user_id = ANY(${[...asked.keys()]}::text[])
  `.execute(db);
  const withKeys = [...new Set(result.rows.map((row) => row.user_id))];
  const added =
    withKeys.length === 0 ? new Map<string, AddedSignatures>() : await selectSignatures(db, withKeys, null);
  const users = new Map<string, Map<string, JsonObject>>();
  for (const row of result.rows) {
    const only = asked.get(row.user_id);
    if (only !== undefined && only.size > 0 && !only.has(row.device_id)) continue;
    const found = users.get(row.user_id) ?? new Map<string, JsonObject>();
    found.set(row.device_id, signed(withName(row), added.get(signedKey(row.user_id, row.device_id))));
    users.set(row.user_id, found);
  }
  return Object.fromEntries([...users].map(([userId, found]) => [userId, Object.fromEntries(found)]));
}

function withName(row: Row): JsonObject {
  const keys: unknown = JSON.parse(row.keys);
  const { unsigned: _, ...rest } = isJsonObject(keys) ? keys : {};
  return row.display_name === null ? rest : { ...rest, unsigned: { device_display_name: row.display_name } };
}
