import type { Requester } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

/** Who a token belongs to. Runs at every request: one statement over two unique indexes. */
export async function requesterByToken(db: UserapiDb, tokenHash: string): Promise<Requester | undefined> {
  return db
    .selectFrom('userapi_devices as d')
    .innerJoin('userapi_accounts as a', 'a.user_id', 'd.user_id')
    .select(['a.user_id as userId', 'd.device_id as deviceId', 'a.account_type as accountType'])
    .where('d.token_hash', '=', tokenHash)
    .where('a.is_deactivated', '=', false)
    .executeTakeFirst();
}
