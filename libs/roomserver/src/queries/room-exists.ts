import { sql } from 'kysely';

import type { QueryDeps } from './query-deps.ts';

export async function roomExists(deps: Pick<QueryDeps, 'db'>, roomId: string): Promise<boolean> {
  const result = await sql`SELECT 1 FROM roomserver_rooms WHERE room_id = ${roomId}`.execute(deps.db);
  return result.rows.length > 0;
}
