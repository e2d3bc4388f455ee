import { sql } from 'kysely';

import type { DeletionRecord, RoomserverForAdmin } from '@seneschal/contracts';
import { invalidParam } from '@seneschal/matrix';

import type { QueryDeps } from './query-deps.ts';

type Page = Parameters<RoomserverForAdmin['deletions']>[0];
type Result = Awaited<ReturnType<RoomserverForAdmin['deletions']>>;

interface Row {
  room_nid: number;
  room_id: string;
  deletion_id: string;
  requested_by: string;
  created_ts: number;
  purged_ts: number | null;
  finished_ts: number | null;
  counts: Record<string, number>;
  digest: string;
  export_file: string | null;
}

/** The records of deletions, newest first, of all rooms or of one. */
export async function deletions(deps: Pick<QueryDeps, 'db'>, page: Page): Promise<Result> {
  const { roomId = null, from, limit } = page;
  const place = from === undefined ? undefined : /^(\d{1,15})_(\d{1,15})$/.exec(from);
  if (place === null) throw invalidParam('from: is not a next_token of this list.');
  const before = place === undefined ? sql`` : sql`AND (created_ts, room_nid) < (${place[1]}, ${place[2]})`;
  const result = await sql<Row>`
    SELECT * FROM roomserver_deletions WHERE (${roomId}::text IS NULL OR room_id = ${roomId}) ${before}
    ORDER BY created_ts DESC, room_nid DESC LIMIT ${limit + 1}
  `.execute(deps.db);
  const rows = result.rows.slice(0, limit);
  const last = result.rows.length > limit ? rows.at(-1) : undefined;
  const records = rows.map(recordOf);
  return last === undefined ? { records } : { records, next: `${last.created_ts}_${last.room_nid}` };
}

function recordOf(row: Row): DeletionRecord {
  return {
    deletionId: row.deletion_id,
    roomId: row.room_id,
    requestedBy: row.requested_by,
    createdTs: row.created_ts,
    purgedTs: row.purged_ts,
    finishedTs: row.finished_ts,
    counts: row.counts,
    digest: row.digest === '' ? null : row.digest,
    exportFile: row.export_file,
  };
}
