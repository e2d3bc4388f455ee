import type { JsonObject } from '@seneschal/matrix';

import { pushRulesOf } from '../push-rule-changes.ts';
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
  const row = await db
    .selectFrom('userapi_account_data')
    .select('content')
    .where('user_id', '=', userId)
    .where('room_id', '=', roomId ?? '')
    .where('type', '=', type)
    .executeTakeFirst();
  return roomId === null && type === pushRules ? { global: pushRulesOf(userId, row?.content) } : row?.content;
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
  const stored = rows.map(({ room_id: roomId, type, content }) => {
    const isRules = roomId === '' && type === pushRules;
    return {
      roomId: roomId === '' ? null : roomId,
      type,
      content: isRules ? { global: pushRulesOf(userId, content) } : content,
    };
  });
  if (from !== null || stored.some(({ roomId, type }) => roomId === null && type === pushRules))
    return stored;
  return [{ roomId: null, type: pushRules, content: { global: pushRulesOf(userId, undefined) } }, ...stored];
}
