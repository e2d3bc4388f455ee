import { sql } from 'kysely';
import type { z } from 'zod';

import { accountTypes, type userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, notFound } from '@seneschal/matrix';

import type { UserapiDb } from '../storage/tables.ts';

/**
 * Suspends or locks an account, or takes it back, from the next request of the user on. M_NOT_FOUND, M_FORBIDDEN for
 * administrators: those are made ordinary users first.
 */
export async function moderateAccount(
  { db }: { db: UserapiDb },
  { userId, isSuspended, isLocked }: z.infer<typeof userapi.moderateAccount.input>,
): Promise<Record<string, never>> {
  await transact(db, async (trx) => {
    const account = await trx
      .selectFrom('userapi_accounts')
      .select(['account_type', 'is_deactivated'])
      .where('user_id', '=', userId)
      .forUpdate()
      .executeTakeFirst();
    if (account === undefined || account.is_deactivated) throw notFound('There is no such user.');
    if (account.account_type === accountTypes.admin) {
      throw forbidden('The user is an administrator.');
    }
    await sql`
      UPDATE userapi_accounts SET is_suspended = coalesce(${isSuspended ?? null}::boolean, is_suspended),
        is_locked = coalesce(${isLocked ?? null}::boolean, is_locked)
      WHERE user_id = ${userId}
    `.execute(trx);
  });
  return {};
}
