import type { JsonObject } from '@seneschal/matrix';

import type { UserapiDb } from '../storage/tables.ts';

/** A user's pushers as `GET /pushers` shows them, oldest first. */
export async function pushers(db: UserapiDb, userId: string): Promise<JsonObject[]> {
  const rows = await db
    .selectFrom('userapi_pushers')
    .select('pusher')
    .where('user_id', '=', userId)
    .orderBy('created_ts')
    .orderBy('pushkey')
    .execute();
  return rows.map((row) => row.pusher);
}
