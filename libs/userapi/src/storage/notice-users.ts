import { type RawBuilder, sql } from 'kysely';

import { accountTypes, type NoticeAudience } from '@seneschal/contracts';

import type { UserapiDb } from './tables.ts';

/** People only: neither application services nor guests, nor the account that notices come from. */
const people = [accountTypes.user, accountTypes.admin];

/** A page of an audience, in order of user ID, after one of them. */
export async function selectNoticeUsers(
  db: UserapiDb,
  audience: NoticeAudience,
  page: { after: string; limit: number },
): Promise<string[]> {
  const result = await sql<{ user_id: string }>`
    SELECT a.user_id FROM userapi_accounts a WHERE a.user_id > ${page.after} AND ${conditionOf(audience)}
    ORDER BY a.user_id LIMIT ${page.limit}
  `.execute(db);
  return result.rows.map((row) => row.user_id);
}

export async function countNoticeUsers(db: UserapiDb, audience: NoticeAudience): Promise<number> {
  const result = await sql<{ count: number }>`
    SELECT count(*) AS count FROM userapi_accounts a WHERE ${conditionOf(audience)}
  `.execute(db);
  return result.rows[0]?.count ?? 0;
}

function conditionOf(audience: NoticeAudience): RawBuilder<unknown> {
  const conditions = [sql`NOT a.is_deactivated`, sql`a.account_type = ANY(${people}::smallint[])`];
  if (audience.to === 'users') {
    conditions.push(sql`a.user_id = ANY(${audience.userIds}::text[])`);
    return sql.join(conditions, sql` AND `);
  }
  const { name, isAdmin, createdSince, createdBefore, seenSince } = audience;
  if (name !== undefined) conditions.push(sql`strpos(a.user_id, ${name}) > 0`);
  if (isAdmin !== undefined)
    conditions.push(sql`(a.account_type = ${accountTypes.admin}) = ${isAdmin}::boolean`);
  if (createdSince !== undefined) conditions.push(sql`a.created_ts >= ${createdSince}`);
  if (createdBefore !== undefined) conditions.push(sql`a.created_ts < ${createdBefore}`);
  if (seenSince !== undefined) {
    conditions.push(sql`EXISTS (
      SELECT FROM userapi_connections c WHERE c.user_id = a.user_id AND c.last_seen >= ${seenSince})`);
  }
  return sql.join(conditions, sql` AND `);
}
