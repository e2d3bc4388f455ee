import { sql } from 'kysely';

import type { DeviceUpdate } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';
import { deviceKeys } from './device-keys.ts';

interface Change {
  position: number;
  userId: string;
  deviceId: string;
}

interface Row {
  position: number;
  previous: number | null;
  is_there: boolean;
  display_name: string | null;
}

/** Devices after changes, by the positions of the changes: as they are now, each with the change before it. */
export async function deviceUpdates(
  db: UserapiDb,
  changes: readonly Change[],
): Promise<Map<number, DeviceUpdate>> {
  if (changes.length === 0) return new Map();
  const result = await sql<Row>`
    SELECT c.position, d.device_id IS NOT NULL AS is_there, d.display_name, (
      SELECT max(o.position) FROM userapi_output o
      WHERE o.fact->>'userId' = c.user_id AND o.fact->>'kind' = 'device_list_changed'
        AND NOT o.fact ? 'crossSigning' AND o.position < c.position
    ) AS previous
    FROM unnest(
      ${changes.map((one) => one.position)}::bigint[], ${changes.map((one) => one.userId)}::text[],
      ${changes.map((one) => one.deviceId)}::text[]
    ) AS c (position, user_id, device_id) LEFT JOIN userapi_devices d USING (user_id, device_id)
  `.execute(db);
  const wanted: Record<string, string[]> = {};
  for (const { userId, deviceId } of changes) (wanted[userId] ??= []).push(deviceId);
  const keys = await deviceKeys(db, wanted);
  const rows = new Map(result.rows.map((row) => [row.position, row]));
  return new Map(
    changes.map(({ position, userId, deviceId }) => {
      const { unsigned: _, ...held } = keys[userId]?.[deviceId] ?? {};
      const row = rows.get(position);
      return [
        position,
        {
          position,
          previous: row?.previous ?? null,
          isDeleted: row?.is_there !== true,
          keys: Object.keys(held).length === 0 ? null : held,
          displayName: row?.display_name ?? null,
        },
      ];
    }),
  );
}
