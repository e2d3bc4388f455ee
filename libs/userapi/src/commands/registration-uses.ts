import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';

import { isValid, lockToken } from '../storage/registration-tokens.ts';
import { deleteHold, insertHold, lockHeldToken, removeExpiredHolds } from '../storage/registration-uses.ts';
import type { UserapiDb } from '../storage/tables.ts';

type HoldInput = z.infer<typeof userapi.holdRegistrationUse.input>;

export interface RegistrationUseDeps {
  db: UserapiDb;
}

/**
 * Holds one use of a token for a session. Uses are counted with the token's row locked, so however many ask at
 * once, no more hold one than the token allows. A session that asks again holds what it held.
 */
export async function holdRegistrationUse(
  deps: RegistrationUseDeps,
  { session, token, expiresTs }: HoldInput,
): Promise<{ held: boolean }> {
  return transact(deps.db, async (trx) => {
    const now = Date.now();
    await removeExpiredHolds(trx, now);
    const row = await lockToken(trx, token);
    if (row === undefined) return { held: false };
    const mine = await lockHeldToken(trx, session, now);
    if (mine?.token_nid === row.token_nid) return { held: true };
    if (!isValid(row, now)) return { held: false };
    await insertHold(trx, { session, token_nid: row.token_nid, expires_ts: expiresTs });
    return { held: true };
  });
}

/** Gives back what a session holds; when it holds nothing there is nothing to do. */
export async function releaseRegistrationUse(
  deps: RegistrationUseDeps,
  { session }: { session: string },
): Promise<Record<string, never>> {
  await deleteHold(deps.db, session);
  return {};
}
