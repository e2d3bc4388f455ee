import { z } from 'zod';

import { accountTypes, type Report, type ReportFilter, roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam, notFound } from '@seneschal/matrix';

import { common, keyPage, needle, type ReportDeps, reportParams, toCommon } from './shapes.ts';

const path = '/_seneschal/v1/reports';

const kind = z.enum(roomserver.reportKinds);
const status = z.enum(roomserver.reportStatuses);

const report = z.object({
  ...common,
  kind,
  score: z.number(),
  room_id: z.string().nullable(),
  event_id: z.string().nullable(),
  sender: z.string().nullable(),
  target_user_id: z.string().nullable(),
  name: z.string(),
  canonical_alias: z.string(),
  status,
  assignee: z.string().nullable(),
  note: z.string().nullable(),
  updated_ts: z.number().nullable(),
  updated_by: z.string().nullable(),
});

const fullReport = report.extend({ event_json: z.looseObject({}).nullable() });

const filters = z.object({
  ...keyPage,
  kind: kind.optional(),
  status: status.optional(),
  assignee: needle,
  user_id: needle,
  room_id: needle,
  sender: needle,
  target_user_id: needle,
});

/** Reports of every kind, for those who work on them. */
export const listReports = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The reports of events, rooms and users, with what has become of them',
    query: filters,
    answer: z.object({ reports: z.array(report), total: z.number(), next_token: z.string().optional() }),
    handle: async ({ query }) => {
      const { from, limit, dir: direction } = query;
      const after = from === undefined ? {} : { after: Number(from) };
      // One more than asked for tells whether there is a next page.
      const page = { direction, limit: limit + 1, ...after };
      const { reports, total } = await deps.roomserver.reports(toFilter(query), page);
      const shown = reports.slice(0, limit).map(toReport);
      const last = shown.at(-1);
      const next = reports.length > limit && last !== undefined ? { next_token: String(last.id) } : {};
      return { reports: shown, total, ...next };
    },
  });

export const getReport = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'One report of any kind; that of an event with the event as it was when it was reported',
    params: reportParams,
    answer: fullReport,
    handle: async ({ params: { reportId } }) => found(deps, reportId),
  });

const longestNote = 4096;
const note = z
  .string()
  .max(longestNote, `is longer than ${longestNote}`)
  .refine((text) => !text.includes('\0'), 'has a NUL character');

export const updateReport = (deps: ReportDeps): Endpoint =>
  endpoint({
    method: 'PUT',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Changes the status, the assignee or the note of a report; what is not named stays',
    params: reportParams,
    body: z.object({
      status: status.optional(),
      assignee: z.string().nullish(),
      note: note.nullish(),
    }),
    answer: fullReport,
    handle: async ({ params: { reportId }, body, requester }) => {
      await requireAdministrator(deps, body.assignee ?? undefined);
      await deps.bus.call(roomserver.updateReport, { reportId, updatedBy: requester.userId, ...body });
      return found(deps, reportId);
    },
  });

export const deleteReport = (deps: Pick<ReportDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Removes a report of any kind',
    params: reportParams,
    answer: z.object({}),
    handle: async ({ params: { reportId } }) => {
      await deps.bus.call(roomserver.deleteReport, { reportId });
      return {};
    },
  });

async function found(
  deps: Pick<ReportDeps, 'roomserver'>,
  reportId: number,
): Promise<z.infer<typeof fullReport>> {
  const one = await deps.roomserver.report(reportId);
  if (one === undefined) throw notFound('There is no such report.');
  return { ...toReport(one), event_json: one.event };
}

/** Only an administrator can see a report that is given to them. */
async function requireAdministrator(deps: ReportDeps, userId: string | undefined): Promise<void> {
  if (userId === undefined) return;
  const account = userId.includes('\0') ? undefined : await deps.userapi.account(userId);
  if (account?.accountType !== accountTypes.admin || account.isDeactivated) {
    throw invalidParam('assignee: is not an administrator of this server.');
  }
}

function toFilter(query: z.infer<typeof filters>): ReportFilter {
  const { kind: ofKind, status: withStatus, assignee, sender } = query;
  return {
    ...(ofKind === undefined ? {} : { kind: ofKind }),
    ...(withStatus === undefined ? {} : { status: withStatus }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(sender === undefined ? {} : { sender }),
    ...(query.user_id === undefined ? {} : { reporter: query.user_id }),
    ...(query.room_id === undefined ? {} : { roomId: query.room_id }),
    ...(query.target_user_id === undefined ? {} : { targetUserId: query.target_user_id }),
  };
}

function toReport(one: Report): z.infer<typeof report> {
  return {
    ...toCommon(one),
    kind: one.kind,
    score: one.score,
    room_id: one.roomId,
    event_id: one.eventId,
    sender: one.sender,
    target_user_id: one.targetUserId,
    name: one.roomName,
    canonical_alias: one.canonicalAlias,
    status: one.status,
    assignee: one.assignee,
    note: one.note,
    updated_ts: one.updatedTs,
    updated_by: one.updatedBy,
  };
}
