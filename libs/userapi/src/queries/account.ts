import type { Account } from '@seneschal/contracts';

import type { UserapiDb } from '../storage/tables.ts';

export async function account(db: UserapiDb, userId: string): Promise<Account | undefined> {
  return db
    .selectFrom('userapi_accounts')
    .select([
      'user_id as userId',
      'localpart',
      'account_type as accountType',
      'created_ts as createdTs',
      'is_deactivated as isDeactivated',
      'is_locked as isLocked',
      'is_suspended as isSuspended',
      'appservice_id as appserviceId',
    ])
    .where('user_id', '=', userId)
    .executeTakeFirst();
}
