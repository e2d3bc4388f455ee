import { sql } from 'kysely';

import { notFound } from '@seneschal/matrix';

import type { QueryDeps } from './query-deps.ts';

/** Whether a room is in the public directory; M_NOT_FOUND when there is no such room. */
export async function isListed(deps: Pick<QueryDeps, 'db'>, roomId: string): Promise<boolean> {
  const result = await sql<{ is_listed: boolean }>`
    SELECT is_listed FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(deps.db);
  const row = result.rows[0];
  if (row === undefined) throw notFound('There is no such room.');
  return row.is_listed;
}
