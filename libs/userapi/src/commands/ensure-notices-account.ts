import type { z } from 'zod';

import { accountTypes, type userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { makeUserId } from '@seneschal/matrix';

import { insertAccount } from '../storage/accounts.ts';
import { insertProfile } from '../storage/profiles.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.ensureNoticesAccount.input>;

export interface EnsureNoticesAccountDeps {
  db: UserapiDb;
  serverName: string;
}

/** Makes the account, without a password, unless it is there. Its name may begin with "_", unlike that of users. */
export async function ensureNoticesAccount(
  deps: EnsureNoticesAccountDeps,
  { localpart, displayname }: Input,
): Promise<Record<string, never>> {
  const { serverName } = deps;
  const accountType = accountTypes.appservice;
  await transact(deps.db, async (trx) => {
    if (!(await insertAccount(trx, { localpart, serverName, passwordHash: null, accountType }))) return;
    const userId = makeUserId(localpart, serverName);
    await insertProfile(trx, { userId, displayname, avatarUrl: null });
  });
  return {};
}
