import { sql } from 'kysely';
import type { z } from 'zod';

import { accountTypes, type userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { invalidParam, notFound } from '@seneschal/matrix';

import { lockAccountType } from '../storage/accounts.ts';
import { lockAdministrators, requireAnother } from '../storage/administrators.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setAdministrator.input>;

export interface SetAdministratorDeps {
  db: UserapiDb;
}

/**
 * Promotes or demotes, from the next request of the user on. M_NOT_FOUND for who has no account (any more),
 * M_INVALID_PARAM for guests and application services, M_FORBIDDEN for the last administrator.
 */
export async function setAdministrator(
  deps: SetAdministratorDeps,
  { userId, isAdmin }: Input,
): Promise<Record<string, never>> {
  await transact(deps.db, async (trx) => {
    const administrators = await lockAdministrators(trx);
    const isAlready = administrators.includes(userId);
    if (!isAdmin) requireAnother(administrators, userId);
    await requirePromotable(trx, userId);
    if (isAlready === isAdmin) return;
    const accountType = isAdmin ? accountTypes.admin : accountTypes.user;
    await sql`UPDATE userapi_accounts SET account_type = ${accountType} WHERE user_id = ${userId}`.execute(
      trx,
    );
  });
  return {};
}

async function requirePromotable(trx: UserapiTransaction, userId: string): Promise<void> {
  const { accountType, isDeactivated } = await lockAccountType(trx, userId);
  if (isDeactivated) throw notFound('The account is deactivated.');
  if (accountType !== accountTypes.user && accountType !== accountTypes.admin) {
    throw invalidParam('Guests and application services cannot be administrators.');
  }
}
