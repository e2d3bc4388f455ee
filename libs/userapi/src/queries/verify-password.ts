import { decoyHash, hashDigest, matchesHash } from '../passwords/passwords.ts';
import type { UserapiDb } from '../storage/tables.ts';

/**
 * Checks a password. Where there is no account, none with a password, or a deactivated one, a decoy is
 * checked, so that the time taken tells nothing. Runs in the gateway: no password enters a queue.
 */
export async function verifyPassword(
  db: UserapiDb,
  bcryptCost: number,
  userId: string,
  password: string,
): Promise<{ userId: string; passwordHashDigest: string } | undefined> {
  const found = await db
    .selectFrom('userapi_accounts')
    .select('password_hash')
    .where('user_id', '=', userId)
    .where('is_deactivated', '=', false)
    .executeTakeFirst();
  const hash = found?.password_hash ?? undefined;
  const matches = await matchesHash(password, hash ?? decoyHash(bcryptCost));
  return matches && hash !== undefined ? { userId, passwordHashDigest: hashDigest(hash) } : undefined;
}
