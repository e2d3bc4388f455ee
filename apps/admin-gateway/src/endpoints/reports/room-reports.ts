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

const path = '/_synapse/admin/v1/room_reports';

const roomReport = z.object({
  ...common,
  room_id: z.string(),
  canonical_alias: z.string(),
  name: z.string(),
});

export const listRoomReports = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The reports of rooms, the newest first unless dir is f',
    query: z.object({ ...offsetPage, user_id: needle, room_id: needle }),
    answer: z.object({ room_reports: z.array(roomReport), ...listAnswer }),
    handle: async ({ query }) => {
      const { reports, total } = await deps.roomserver.reports(
        {
          kind: 'room',
          ...(query.user_id === undefined ? {} : { reporter: query.user_id }),
          ...(query.room_id === undefined ? {} : { roomId: query.room_id }),
        },
        toOffsetPage(query),
      );
      return { room_reports: reports.map(toRoomReport), total, ...nextOffset(query, reports.length, total) };
    },
  });

export const getRoomReport = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'One report of a room',
    params: reportParams,
    answer: roomReport,
    handle: async ({ params: { reportId } }) => {
      const found = await deps.roomserver.report(reportId, 'room');
      if (found === undefined) throw notFound('There is no such report of a room.');
      return toRoomReport(found);
    },
  });

export const deleteRoomReport = (deps: Pick<ReportDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Removes a report of a room',
    params: reportParams,
    answer: z.object({}),
    handle: async ({ params: { reportId } }) => {
      await deps.bus.call(roomserver.deleteReport, { reportId, kind: 'room' });
      return {};
    },
  });

function toRoomReport(report: Report): z.infer<typeof roomReport> {
  return {
    ...toCommon(report),
    room_id: report.roomId ?? '',
    canonical_alias: report.canonicalAlias,
    name: report.roomName,
  };
}
