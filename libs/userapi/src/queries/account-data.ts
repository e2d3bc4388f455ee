import type { JsonObject } from '@seneschal/matrix';

import { defaultPushRules } from '../push-rules.ts';
import type { UserapiDb } from '../storage/tables.ts';

const pushRules = 'm.push_rules';

interface AccountDatum {
  roomId: string | null;
  type: string;
  content: JsonObject;
}

/** One piece of account data; `m.push_rules` is what the server makes of it. */
export async function accountData(
  db: UserapiDb,
  userId: string,
  roomId: string | null,
  type: string,
): Promise<JsonObject | undefined> {
  if (roomId === null && type === pushRules) return { global: defaultPushRules(userId) };
  const row = await db
    .selectFrom('userapi_account_data')
    .select('content')
    .where('user_id', '=', userId)
    .where('room_id', '=', roomId ?? '')
    .where('type', '=', type)
    .executeTakeFirst();
  return row?.content;
}

/**
 * Account data that changed in (from, to]. From null: everything there is, push rules included; what changed
 * after `to` is told too, and will be told again.
 */
export async function accountDataBetween(
  db: UserapiDb,
  userId: string,
  from: number | null,
  to: number,
): Promise<AccountDatum[]> {
  const rows = await db
    .selectFrom('userapi_account_data')
    .select(['room_id', 'type', 'content'])
    .where('user_id', '=', userId)
    .where('position', '>', from ?? 0)
    .where('position', '<=', from === null ? Number.MAX_SAFE_INTEGER : to)
    .orderBy('position')
    .execute();
  const stored = rows.map(({ room_id: roomId, type, content }) => ({
    roomId: roomId === '' ? null : roomId,
    type,
    content,
  }));
  if (from !== null) return stored;
  return [{ roomId: null, type: pushRules, content: { global: defaultPushRules(userId) } }, ...stored];
}
