import type { Endpoint } from '@seneschal/http';

import { kindsOfReports } from './kinds.ts';
import { reportsOfKind } from './of-kind.ts';
import { deleteReport, getReport, listReports, updateReport } from './reports.ts';
import type { ReportDeps } from './shapes.ts';

/** What users have reported: Synapse's lists of events and users, one of rooms, and all of them to work on. */
export function reportEndpoints(deps: ReportDeps): Endpoint[] {
  return [
    ...kindsOfReports.flatMap((kind) => reportsOfKind(deps, kind)),
    listReports(deps),
    getReport(deps),
    updateReport(deps),
    deleteReport(deps),
  ];
}
