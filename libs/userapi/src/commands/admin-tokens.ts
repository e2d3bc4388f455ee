import { type Kysely, sql } from 'kysely';
import type { z } from 'zod';

import type { CommandContext } from '@seneschal/bus';
import { accountTypes, type userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, notFound } from '@seneschal/matrix';

import { lockAccount } from '../storage/accounts.ts';
import type { UserapiDb, UserapiTables } from '../storage/tables.ts';

export interface AdminTokenDeps {
  db: UserapiDb;
}

/** Makes a token for a machine. Only an administrator can, and a delivery that is repeated makes no second. */
export async function createAdminToken(
  { db }: AdminTokenDeps,
  input: z.infer<typeof userapi.createAdminToken.input>,
  context: Pick<CommandContext, 'remember'>,
): Promise<{ createdTs: number }> {
  return transact(db, async (trx) => {
    const account = await lockAccount(trx, input.createdBy);
    if (account.isDeactivated || !(await isAdmin(trx, input.createdBy))) {
      throw forbidden('Only administrators make tokens.');
    }
    const createdTs = Date.now();
    await sql`
      INSERT INTO userapi_admin_tokens
        (id, token_hash, name, scopes, addresses, created_by, created_ts, expires_ts)
      VALUES (${input.id}, ${input.tokenHash}, ${input.name}, ${input.scopes}, ${input.addresses},
        ${input.createdBy}, ${createdTs}, ${input.expiresTs})
    `.execute(trx);
    await context.remember(trx, { createdTs });
    return { createdTs };
  });
}

async function isAdmin(db: Kysely<UserapiTables>, userId: string): Promise<boolean> {
  const found = await sql<{ account_type: number }>`
    SELECT account_type FROM userapi_accounts WHERE user_id = ${userId}`.execute(db);
  return found.rows[0]?.account_type === accountTypes.admin;
}

/** Removes a token. M_NOT_FOUND when there is none; a repeated delivery answers what the first did. */
export async function revokeAdminToken(
  { db }: AdminTokenDeps,
  { id }: z.infer<typeof userapi.revokeAdminToken.input>,
  context: Pick<CommandContext, 'remember'>,
): Promise<Record<string, never>> {
  return transact(db, async (trx) => {
    const removed = await sql`DELETE FROM userapi_admin_tokens WHERE id = ${id}`.execute(trx);
    if (removed.numAffectedRows === 0n) throw notFound('There is no such token.');
    await context.remember(trx, {});
    return {};
  });
}

/** Keeps when tokens were last used; never an earlier time in the place of a later. */
export async function recordAdminTokenUse(
  { db }: AdminTokenDeps,
  { uses }: z.infer<typeof userapi.recordAdminTokenUse.input>,
): Promise<Record<string, never>> {
  await sql`
    UPDATE userapi_admin_tokens t SET last_used_ts = greatest(t.last_used_ts, u.ts)
    FROM unnest(${uses.map(({ id }) => id)}::text[], ${uses.map(({ ts }) => ts)}::bigint[]) AS u (id, ts)
    WHERE t.id = u.id
  `.execute(db);
  return {};
}
