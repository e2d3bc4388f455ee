import { z } from 'zod';

import { type Report, type ReportFilter, type ReportKind, roomserver } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';

import {
  listAnswer,
  needle,
  nextOffset,
  offsetPage,
  type ReportDeps,
  reportParams,
  toOffsetPage,
} from './shapes.ts';

type FullReport = NonNullable<Awaited<ReturnType<ReportDeps['roomserver']['report']>>>;

/** What one of Synapse's lists of reports has of its own; the rest is the same for all kinds. */
export interface KindOfReports {
  kind: ReportKind;
  /** What is reported, with its article, as in `an event`. */
  noun: string;
  /** One report as it is listed. */
  report: z.ZodObject;
  toReport(report: Report): object;
  /** What a single report has besides. */
  more?: { report: z.ZodRawShape; what: string; toMore(report: FullReport): object };
  /** Filters of the list besides `user_id`, by their names in the query. */
  filters: Readonly<Record<string, keyof ReportFilter>>;
}

const base = '/_synapse/admin/v1/';
const readable = { access: 'admin', rateLimit: 'admin', scope: 'read' } as const;

/** `GET …_reports`, `GET` and `DELETE …_reports/{reportID}` for one kind. */
export function reportsOfKind(deps: ReportDeps, of: KindOfReports): Endpoint[] {
  return [list(deps, of), getOne(deps, of), remove(deps, of)];
}

function list({ roomserver: reads }: ReportDeps, of: KindOfReports): Endpoint {
  const name = `${of.kind}_reports`;
  const filters = { user_id: 'reporter', ...of.filters } satisfies KindOfReports['filters'];
  const needles = Object.fromEntries(Object.keys(filters).map((key) => [key, needle]));
  return endpoint({
    ...readable,
    method: 'GET',
    path: base + name,
    summary: `The reports of ${of.kind}s, the newest first unless dir is f`,
    query: z.object({ ...offsetPage, ...needles }),
    answer: z.object({ [name]: z.array(of.report), ...listAnswer }),
    handle: async ({ query }) => {
      const given = query as typeof query & Record<string, unknown>;
      const wanted = Object.entries(filters).filter(([key]) => given[key] !== undefined);
      const filter = Object.fromEntries(wanted.map(([key, column]) => [column, given[key]]));
      const { reports, total } = await reads.reports({ kind: of.kind, ...filter }, toOffsetPage(query));
      return {
        [name]: reports.map((report) => of.toReport(report)),
        total,
        ...nextOffset(query, reports.length, total),
      };
    },
  });
}

function getOne({ roomserver: reads }: ReportDeps, of: KindOfReports): Endpoint {
  return endpoint({
    ...readable,
    method: 'GET',
    path: `${base}${of.kind}_reports/:reportId`,
    summary: `One report of ${of.noun}${of.more === undefined ? '' : `, with ${of.more.what}`}`,
    params: reportParams,
    answer: of.more === undefined ? of.report : of.report.extend(of.more.report),
    handle: async ({ params: { reportId } }) => {
      const found = await reads.report(reportId, of.kind);
      if (found === undefined) throw notFound(`There is no such report of ${of.noun}.`);
      return { ...of.toReport(found), ...of.more?.toMore(found) };
    },
  });
}

function remove({ bus }: ReportDeps, of: KindOfReports): Endpoint {
  return endpoint({
    method: 'DELETE',
    path: `${base}${of.kind}_reports/:reportId`,
    access: 'admin',
    rateLimit: 'admin',
    scope: 'rooms',
    summary: `Removes a report of ${of.noun}`,
    params: reportParams,
    answer: z.object({}),
    handle: async ({ params: { reportId } }) => {
      await bus.call(roomserver.deleteReport, { reportId, kind: of.kind });
      return {};
    },
  });
}
