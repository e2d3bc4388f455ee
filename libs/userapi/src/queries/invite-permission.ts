import { own } from '@seneschal/matrix';

import type { UserapiDb } from '../storage/tables.ts';

/** Which of the users want no invites: those whose `m.invite_permission_config` says `block`, and nothing else. */
export async function invitesBlockedBy(db: UserapiDb, userIds: readonly string[]): Promise<Set<string>> {
  if (userIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('userapi_account_data')
    .select(['user_id', 'content'])
    .where('user_id', 'in', [...userIds])
    .where('room_id', '=', '')
    .where('type', '=', 'm.invite_permission_config')
    .execute();
  return new Set(
    rows.filter(({ content }) => own(content, 'default_action') === 'block').map((row) => row.user_id),
  );
}
