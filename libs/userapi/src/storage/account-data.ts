import { sql } from 'kysely';

import { userapi } from '@seneschal/contracts';
import { lockLog } from '@seneschal/database';
import type { JsonObject } from '@seneschal/matrix';

import { appendFacts } from './output.ts';
import type { UserapiTransaction } from './tables.ts';

export interface AccountDataKey {
  userId: string;
  /** null for what belongs to no room. */
  roomId: string | null;
  type: string;
}

/**
 * Changes one piece of account data at a new position of the log. The log's lock is taken before the old
 * content is read, so no change is lost to another. Answers the position.
 */
export async function changeAccountData(
  trx: UserapiTransaction,
  key: AccountDataKey,
  change: (old: JsonObject | undefined) => JsonObject,
): Promise<number> {
  await lockLog(trx, userapi.userapiOutput.table);
  const content = JSON.stringify(change(await selectAccountData(trx, key)));
  const position = await appendFacts(trx, [{ kind: 'account_data_changed', ...key }]);
  await sql`
    INSERT INTO userapi_account_data (user_id, room_id, type, content, position)
    VALUES (${key.userId}, ${key.roomId ?? ''}, ${key.type}, ${content}::json, ${position})
    ON CONFLICT (user_id, room_id, type)
    DO UPDATE SET content = excluded.content, position = excluded.position
  `.execute(trx);
  return position;
}

export async function selectAccountData(
  trx: UserapiTransaction,
  key: AccountDataKey,
): Promise<JsonObject | undefined> {
  const row = await trx
    .selectFrom('userapi_account_data')
    .select('content')
    .where('user_id', '=', key.userId)
    .where('room_id', '=', key.roomId ?? '')
    .where('type', '=', key.type)
    .executeTakeFirst();
  return row?.content;
}
