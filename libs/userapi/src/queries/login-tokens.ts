import type { UserapiDb } from '../storage/tables.ts';

/** Who may log in by a token; undefined when it is not known, has been used or has expired. */
export async function userOfLoginToken(db: UserapiDb, tokenHash: string): Promise<string | undefined> {
  const found = await db
    .selectFrom('userapi_login_tokens')
    .select('user_id')
    .where('token_hash', '=', tokenHash)
    .where('expires_ts', '>', Date.now())
    .executeTakeFirst();
  return found?.user_id;
}
