import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { unknownToken, userDeactivated, userLocked } from '@seneschal/matrix';

import { lockAccount } from '../storage/accounts.ts';
import {
  findRefreshable,
  promoteTokens,
  storeNextTokens,
  sweepRefreshTokens,
} from '../storage/session-tokens.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.refreshSession.input>;

/**
 * Gives a session new tokens beside the old ones. A refresh token that was given out last ends those before it; one from
 * before that is worth nothing. Asking again with the same one replaces what nobody has used.
 */
export async function refreshSession(
  { db }: { db: UserapiDb },
  { refreshHash, next }: Input,
): Promise<Record<string, never>> {
  await transact(db, async (trx) => {
    const { userId } = await refreshable(trx, refreshHash);
    const { isDeactivated, isLocked } = await lockAccount(trx, userId);
    if (isDeactivated) throw userDeactivated('This account has been deactivated.');
    if (isLocked) throw userLocked();
    // Looked at once more: only now nobody else changes the sessions of the user.
    const session = await refreshable(trx, refreshHash);
    if (session.isNext) await promoteTokens(trx, { next_refresh_hash: refreshHash });
    await storeNextTokens(trx, session, next);
    await sweepRefreshTokens(trx);
  });
  return {};
}

async function refreshable(
  trx: UserapiTransaction,
  refreshHash: string,
): Promise<NonNullable<Awaited<ReturnType<typeof findRefreshable>>>> {
  const session = await findRefreshable(trx, refreshHash);
  if (session === undefined) {
    throw unknownToken('The refresh token is not known, has been used or has expired. Log in again.', true);
  }
  return session;
}

/** Ends the tokens from before the access token that is now in use. Doing it twice is doing it once. */
export async function confirmTokens(
  { db }: { db: UserapiDb },
  { tokenHash }: z.infer<typeof userapi.confirmTokens.input>,
): Promise<Record<string, never>> {
  await promoteTokens(db, { next_token_hash: tokenHash });
  return {};
}
