import { z } from 'zod';

import { type Report, roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import {
  common,
  listAnswer,
  needle,
  nextOffset,
  offsetPage,
  type ReportDeps,
  reportParams,
  toCommon,
  toOffsetPage,
} from './shapes.ts';

const path = '/_synapse/admin/v1/user_reports';

const userReport = z.object({ ...common, target_user_id: z.string() });

export const listUserReports = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The reports of users, the newest first unless dir is f',
    query: z.object({ ...offsetPage, user_id: needle, target_user_id: needle }),
    answer: z.object({ user_reports: z.array(userReport), ...listAnswer }),
    handle: async ({ query }) => {
      const { reports, total } = await deps.roomserver.reports(
        {
          kind: 'user',
          ...(query.user_id === undefined ? {} : { reporter: query.user_id }),
          ...(query.target_user_id === undefined ? {} : { targetUserId: query.target_user_id }),
        },
        toOffsetPage(query),
      );
      return { user_reports: reports.map(toUserReport), total, ...nextOffset(query, reports.length, total) };
    },
  });

export const getUserReport = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'One report of a user',
    params: reportParams,
    answer: userReport,
    handle: async ({ params: { reportId } }) => {
      const found = await deps.roomserver.report(reportId, 'user');
      if (found === undefined) throw notFound('There is no such report of a user.');
      return toUserReport(found);
    },
  });

export const deleteUserReport = (deps: Pick<ReportDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Removes a report of a user',
    params: reportParams,
    answer: z.object({}),
    handle: async ({ params: { reportId } }) => {
      await deps.bus.call(roomserver.deleteReport, { reportId, kind: 'user' });
      return {};
    },
  });

function toUserReport(report: Report): z.infer<typeof userReport> {
  return { ...toCommon(report), target_user_id: report.targetUserId ?? '' };
}
