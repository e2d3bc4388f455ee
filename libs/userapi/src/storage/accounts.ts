import { sql } from 'kysely';

import { notFound } from '@seneschal/matrix';
import type { AccountType } from '@seneschal/contracts';

import type { UserapiTransaction } from './tables.ts';

export interface NewAccount {
  localpart: string;
  serverName: string;
  passwordHash: string | null;
  accountType: AccountType;
}

/** Makes an account with its empty profile. False when the name is taken. */
export async function insertAccount(trx: UserapiTransaction, account: NewAccount): Promise<boolean> {
  const inserted = await trx
    .insertInto('userapi_accounts')
    .values({
      localpart: account.localpart,
      server_name: account.serverName,
      created_ts: Date.now(),
      password_hash: account.passwordHash,
      appservice_id: null,
      account_type: account.accountType,
    })
    .onConflict((conflict) => conflict.columns(['localpart', 'server_name']).doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

export interface LockedAccount {
  passwordHash: string | null;
  isDeactivated: boolean;
  isLocked: boolean;
}

/**
 * Locks an account to the end of the transaction: what begins sessions and what ends them all takes turns,
 * so no session slips through. Throws M_NOT_FOUND.
 */
export async function lockAccount(trx: UserapiTransaction, userId: string): Promise<LockedAccount> {
  const row = await trx
    .selectFrom('userapi_accounts')
    .select(['password_hash', 'is_deactivated', 'is_locked'])
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw notFound('There is no such account.');
  const { password_hash: passwordHash, is_deactivated: isDeactivated, is_locked: isLocked } = row;
  return { passwordHash, isDeactivated, isLocked };
}

/** What kind of account a user has; it is locked to the end of the transaction. Throws M_NOT_FOUND. */
export async function lockAccountType(
  trx: UserapiTransaction,
  userId: string,
): Promise<{ accountType: AccountType; isDeactivated: boolean }> {
  const account = await trx
    .selectFrom('userapi_accounts')
    .select(['account_type as accountType', 'is_deactivated as isDeactivated'])
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (account === undefined) throw notFound('There is no such user.');
  return account;
}

export async function updatePassword(
  trx: UserapiTransaction,
  userId: string,
  passwordHash: string,
): Promise<void> {
  await sql`UPDATE userapi_accounts SET password_hash = ${passwordHash} WHERE user_id = ${userId}`.execute(
    trx,
  );
}

export async function markDeactivated(trx: UserapiTransaction, userId: string): Promise<void> {
  await sql`UPDATE userapi_accounts SET is_deactivated = true, password_hash = NULL
    WHERE user_id = ${userId}`.execute(trx);
}
