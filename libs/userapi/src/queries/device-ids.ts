import type { UserapiDb } from '../storage/tables.ts';

export async function deviceIds(db: UserapiDb, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('userapi_devices')
    .select('device_id')
    .where('user_id', '=', userId)
    .execute();
  return rows.map((row) => row.device_id);
}
