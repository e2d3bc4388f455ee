import { sql } from 'kysely';
import type { z } from 'zod';

import { accountTypes, type userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, invalidParam, notFound } from '@seneschal/matrix';

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
    if (isAlready && !isAdmin && administrators.length === 1) {
      throw forbidden('This is the last administrator. Promote another user first.');
    }
    await requirePromotable(trx, userId);
    if (isAlready === isAdmin) return;
    const accountType = isAdmin ? accountTypes.admin : accountTypes.user;
    await sql`UPDATE userapi_accounts SET account_type = ${accountType} WHERE user_id = ${userId}`.execute(
      trx,
    );
  });
  return {};
}

/**
 * All administrators, locked in one order: those who change them take turns, so two who demote each other at
 * once do not leave none. A row that was changed while this waited for it is looked at again.
 */
async function lockAdministrators(trx: UserapiTransaction): Promise<string[]> {
  const rows = await trx
    .selectFrom('userapi_accounts')
    .select('user_id')
    .where('account_type', '=', accountTypes.admin)
    .where('is_deactivated', '=', false)
    .orderBy('user_id')
    .forUpdate()
    .execute();
  return rows.map((row) => row.user_id);
}

async function requirePromotable(trx: UserapiTransaction, userId: string): Promise<void> {
  const account = await trx
    .selectFrom('userapi_accounts')
    .select(['account_type', 'is_deactivated'])
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (account === undefined) throw notFound('There is no such user.');
  if (account.is_deactivated) throw notFound('The account is deactivated.');
  const { account_type: accountType } = account;
  if (accountType !== accountTypes.user && accountType !== accountTypes.admin) {
    throw invalidParam('Guests and application services cannot be administrators.');
  }
}
