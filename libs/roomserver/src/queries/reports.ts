import { type RawBuilder, sql } from 'kysely';

import type {
  Report,
  ReportFilter,
  ReportKind,
  ReportPage,
  ReportsForAdmin,
  ReportStatus,
} from '@seneschal/contracts';
import { isJsonObject, type JsonObject, ownString, parseJson } from '@seneschal/matrix';

import { parsePdu } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';

type Deps = Pick<QueryDeps, 'db'>;
type Found = Awaited<ReturnType<ReportsForAdmin['report']>>;

interface ReportRow {
  report_id: number;
  kind: ReportKind;
  received_ts: number;
  reporter: string;
  reason: string;
  score: number;
  room_id: string | null;
  event_id: string | null;
  sender: string | null;
  target_user_id: string | null;
  status: ReportStatus;
  assignee: string | null;
  note: string | null;
  updated_ts: number | null;
  updated_by: string | null;
  name_json: string | null;
  alias_json: string | null;
}

/**
 * A page of reports, each with the name that its room has now: two rows of the room's state, however large
 * the room. What has been purged leaves its fields empty and takes no report out of the list.
 */
export async function reports(
  deps: Deps,
  filter: ReportFilter,
  page: ReportPage,
): Promise<{ reports: Report[]; total: number }> {
  const matching = sql`FROM roomserver_reports p WHERE ${conditionsOf(filter)}`;
  const [rows, counted] = await Promise.all([
    sql<ReportRow>`
      SELECT ${columns} FROM (SELECT p.* ${matching} ${partOf(page)}) AS page ${joins}
      ORDER BY page.report_id ${orderOf(page)}
    `.execute(deps.db),
    sql<{ total: number }>`SELECT count(*) AS total ${matching}`.execute(deps.db),
  ]);
  return { reports: rows.rows.map(toReport), total: counted.rows[0]?.total ?? 0 };
}

export async function report(deps: Deps, reportId: number, kind?: ReportKind): Promise<Found> {
  const result = await sql<ReportRow & { event_json: string | null }>`
    SELECT ${columns}, page.event_json FROM roomserver_reports page ${joins}
    WHERE page.report_id = ${reportId} AND (${kind ?? null}::text IS NULL OR page.kind = ${kind ?? null})
  `.execute(deps.db);
  const row = result.rows[0];
  return row === undefined ? undefined : { ...toReport(row), event: eventOf(row.event_json) };
}

const columns = sql`page.report_id, page.kind, page.received_ts, page.reporter, page.reason, page.score,
  page.room_id, page.event_id, page.sender, page.target_user_id, page.status, page.assignee, page.note,
  page.updated_ts, page.updated_by, name.json AS name_json, alias.json AS alias_json`;

function stateOf(type: string, alias: string): RawBuilder<unknown> {
  return sql`LEFT JOIN LATERAL (
    SELECT e.json FROM roomserver_current_state s JOIN roomserver_events e USING (position)
    WHERE s.room_nid = room.room_nid AND s.type = ${sql.lit(type)} AND s.state_key = ''
  ) AS ${sql.id(alias)} ON true`;
}

const joins = sql`LEFT JOIN roomserver_rooms room ON room.room_id = page.room_id
  ${stateOf('m.room.name', 'name')} ${stateOf('m.room.canonical_alias', 'alias')}`;

/** `strpos` and not LIKE: what is looked for is taken as it stands. */
function conditionsOf(filter: ReportFilter): RawBuilder<unknown> {
  const equal = (column: string, value: string | undefined): RawBuilder<unknown>[] =>
    value === undefined ? [] : [sql`${sql.id('p', column)} = ${value}`];
  const contains = (column: string, value: string | undefined): RawBuilder<unknown>[] =>
    value === undefined ? [] : [sql`strpos(${sql.id('p', column)}, ${value}) > 0`];
  const conditions = [
    ...equal('kind', filter.kind),
    ...equal('status', filter.status),
    ...equal('assignee', filter.assignee),
    ...contains('reporter', filter.reporter),
    ...contains('room_id', filter.roomId),
    ...contains('sender', filter.sender),
    ...contains('target_user_id', filter.targetUserId),
  ];
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` AND `);
}

function orderOf({ direction }: ReportPage): RawBuilder<unknown> {
  return direction === 'f' ? sql`ASC` : sql`DESC`;
}

function partOf(page: ReportPage): RawBuilder<unknown> {
  const { after, offset = 0, limit } = page;
  const beyond = page.direction === 'f' ? sql`>` : sql`<`;
  const from = after === undefined ? sql`` : sql`AND p.report_id ${beyond} ${after}`;
  return sql`${from} ORDER BY p.report_id ${orderOf(page)} LIMIT ${limit} OFFSET ${offset}`;
}

function toReport(row: ReportRow): Report {
  return {
    reportId: row.report_id,
    kind: row.kind,
    receivedTs: row.received_ts,
    reporter: row.reporter,
    reason: row.reason,
    score: row.score,
    roomId: row.room_id,
    eventId: row.event_id,
    sender: row.sender,
    targetUserId: row.target_user_id,
    status: row.status,
    assignee: row.assignee,
    note: row.note,
    updatedTs: row.updated_ts,
    updatedBy: row.updated_by,
    roomName: ownString(parsePdu(row.name_json)?.content, 'name') ?? '',
    canonicalAlias: ownString(parsePdu(row.alias_json)?.content, 'alias') ?? '',
  };
}

/** null also for a text that is damaged. */
function eventOf(json: string | null): JsonObject | null {
  if (json === null) return null;
  try {
    const value = parseJson(json);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
