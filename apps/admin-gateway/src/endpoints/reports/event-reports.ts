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

const path = '/_synapse/admin/v1/event_reports';

const eventReport = z.object({
  ...common,
  score: z.number(),
  room_id: z.string(),
  event_id: z.string(),
  sender: z.string(),
  canonical_alias: z.string(),
  name: z.string(),
});

export const listEventReports = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'The reports of events, the newest first unless dir is f',
    query: z.object({ ...offsetPage, user_id: needle, room_id: needle, event_sender_user_id: needle }),
    answer: z.object({ event_reports: z.array(eventReport), ...listAnswer }),
    handle: async ({ query }) => {
      const { reports, total } = await deps.roomserver.reports(
        {
          kind: 'event',
          ...(query.user_id === undefined ? {} : { reporter: query.user_id }),
          ...(query.room_id === undefined ? {} : { roomId: query.room_id }),
          ...(query.event_sender_user_id === undefined ? {} : { sender: query.event_sender_user_id }),
        },
        toOffsetPage(query),
      );
      const next = nextOffset(query, reports.length, total);
      return { event_reports: reports.map(toEventReport), total, ...next };
    },
  });

export const getEventReport = (deps: Pick<ReportDeps, 'roomserver'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'read',
    summary: 'One report of an event, with the event as it was when it was reported',
    params: reportParams,
    answer: eventReport.extend({ event_json: z.looseObject({}).nullable() }),
    handle: async ({ params: { reportId } }) => {
      const found = await deps.roomserver.report(reportId, 'event');
      if (found === undefined) throw notFound('There is no such report of an event.');
      return { ...toEventReport(found), event_json: found.event };
    },
  });

export const deleteEventReport = (deps: Pick<ReportDeps, 'bus'>): Endpoint =>
  endpoint({
    method: 'DELETE',
    path: `${path}/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: 'Removes a report of an event',
    params: reportParams,
    answer: z.object({}),
    handle: async ({ params: { reportId } }) => {
      await deps.bus.call(roomserver.deleteReport, { reportId, kind: 'event' });
      return {};
    },
  });

function toEventReport(report: Report): z.infer<typeof eventReport> {
  return {
    ...toCommon(report),
    score: report.score,
    room_id: report.roomId ?? '',
    event_id: report.eventId ?? '',
    sender: report.sender ?? '',
    canonical_alias: report.canonicalAlias,
    name: report.roomName,
  };
}
