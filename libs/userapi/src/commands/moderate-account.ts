import { sql } from 'kysely';
import type { z } from 'zod';

import { accountTypes, type userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, notFound } from '@seneschal/matrix';

import { lockAccountType } from '../storage/accounts.ts';
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
    const { accountType, isDeactivated } = await lockAccountType(trx, userId);
    if (isDeactivated) throw notFound('There is no such user.');
    if (accountType === accountTypes.admin) throw forbidden('The user is an administrator.');
    await sql`
      UPDATE userapi_accounts SET is_suspended = coalesce(${isSuspended ?? null}::boolean, is_suspended),
        is_locked = coalesce(${isLocked ?? null}::boolean, is_locked)
      WHERE user_id = ${userId}
    `.execute(trx);
  });
  return {};
}
