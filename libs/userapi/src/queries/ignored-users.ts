import { isUserId, own } from '@seneschal/matrix';

import type { UserapiDb } from '../storage/tables.ts';
import { accountData } from './account-data.ts';

/** More would make every read of the user slow. */
const mostIgnored = 1000;

/** Whom a user ignores (client-server API, `m.ignored_user_list`); what in it is no user ID, or oneself, is left out. */
export async function ignoredUsers(db: UserapiDb, userId: string): Promise<string[]> {
  const listed = own(await accountData(db, userId, null, 'm.ignored_user_list'), 'ignored_users');
  if (typeof listed !== 'object' || listed === null || Array.isArray(listed)) return [];
  return Object.keys(listed)
    .filter((ignored) => isUserId(ignored) && ignored !== userId)
    .slice(0, mostIgnored);
}
