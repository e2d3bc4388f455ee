import { type Kysely, sql, type Transaction } from 'kysely';

import type { ReportKind, ReportStatus } from '@seneschal/contracts';

import type { RoomserverTables } from './tables.ts';

interface NewReport {
  reporter: string;
  reason: string;
}

/**
 * Undefined when the reporter is not joined to the room, or it has no such event. The room's row is held, so that
 * no report comes in behind a deletion of the room.
 */
export async function insertEventReport(
  transaction: Transaction<RoomserverTables>,
  report: NewReport & { roomId: string; eventId: string; score: number },
): Promise<number | undefined> {
  const result = await sql<{ report_id: number }>`
    INSERT INTO roomserver_reports
      (kind, received_ts, reporter, reason, score, room_id, event_id, sender, event_json)
    SELECT 'event', ${Date.now()}, ${report.reporter}, ${report.reason}, ${report.score}, r.room_id,
      e.event_id, e.sender, e.json
    FROM roomserver_rooms r
    JOIN roomserver_events e USING (room_nid)
    JOIN roomserver_memberships m ON m.room_nid = r.room_nid AND m.user_id = ${report.reporter}
    WHERE r.room_id = ${report.roomId} AND e.event_id = ${report.eventId} AND m.membership = 'join'
    FOR KEY SHARE OF r
    RETURNING report_id
  `.execute(transaction);
  return result.rows[0]?.report_id;
}

/** Undefined when there is no such room. */
export async function insertRoomReport(
  transaction: Transaction<RoomserverTables>,
  report: NewReport & { roomId: string },
): Promise<number | undefined> {
  const result = await sql<{ report_id: number }>`
    INSERT INTO roomserver_reports (kind, received_ts, reporter, reason, score, room_id)
    SELECT 'room', ${Date.now()}, ${report.reporter}, ${report.reason}, 0, room_id
    FROM roomserver_rooms WHERE room_id = ${report.roomId}
    FOR KEY SHARE
    RETURNING report_id
  `.execute(transaction);
  return result.rows[0]?.report_id;
}

export async function insertUserReport(
  transaction: Transaction<RoomserverTables>,
  report: NewReport & { userId: string },
): Promise<number | undefined> {
  const row = await transaction
    .insertInto('roomserver_reports')
    .values({
      kind: 'user',
      received_ts: Date.now(),
      reporter: report.reporter,
      reason: report.reason,
      score: 0,
      target_user_id: report.userId,
    })
    .returning('report_id')
    .executeTakeFirst();
  return row?.report_id;
}

/** How far a report has got; its row is locked to the end of the transaction. */
export async function lockReport(
  transaction: Transaction<RoomserverTables>,
  reportId: number,
): Promise<{ status: ReportStatus; assignee: string | null; note: string | null } | undefined> {
  return transaction
    .selectFrom('roomserver_reports')
    .select(['status', 'assignee', 'note'])
    .where('report_id', '=', reportId)
    .forUpdate()
    .executeTakeFirst();
}

export async function setReport(
  transaction: Transaction<RoomserverTables>,
  reportId: number,
  change: { status: ReportStatus; assignee: string | null; note: string | null; updated_by: string },
): Promise<void> {
  await transaction
    .updateTable('roomserver_reports')
    .set({ ...change, updated_ts: Date.now() })
    .where('report_id', '=', reportId)
    .execute();
}

/** False when there is no such report, or it is of another kind. */
export async function removeReport(
  db: Kysely<RoomserverTables>,
  reportId: number,
  kind: ReportKind | undefined,
): Promise<boolean> {
  const result = await sql`
    DELETE FROM roomserver_reports
    WHERE report_id = ${reportId} AND (${kind ?? null}::text IS NULL OR kind = ${kind ?? null})
  `.execute(db);
  return result.numAffectedRows === 1n;
}
