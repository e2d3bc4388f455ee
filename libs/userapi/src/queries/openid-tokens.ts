import type { UserapiDb } from '../storage/tables.ts';

/** Whose OpenID token this is; undefined when it is not known or has expired, or the account may not be used. */
export async function userOfOpenidToken(db: UserapiDb, tokenHash: string): Promise<string | undefined> {
  const found = await db
    .selectFrom('userapi_openid_tokens as t')
    .innerJoin('userapi_accounts as a', 'a.user_id', 't.user_id')
    .select('a.user_id')
    .where('t.token_hash', '=', tokenHash)
    .where('t.expires_ts', '>', Date.now())
    .where('a.is_deactivated', '=', false)
    .where('a.is_locked', '=', false)
    .executeTakeFirst();
  return found?.user_id;
}
