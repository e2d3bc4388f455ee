import type { Endpoint } from '@seneschal/http';

import { deleteEventReport, getEventReport, listEventReports } from './event-reports.ts';
import { deleteReport, getReport, listReports, updateReport } from './reports.ts';
import { deleteRoomReport, getRoomReport, listRoomReports } from './room-reports.ts';
import type { ReportDeps } from './shapes.ts';
import { deleteUserReport, getUserReport, listUserReports } from './user-reports.ts';

/** What users have reported: Synapse's lists of events and users, one of rooms, and all of them to work on. */
export function reportEndpoints(deps: ReportDeps): Endpoint[] {
  return [
    listEventReports(deps),
    getEventReport(deps),
    deleteEventReport(deps),
    listRoomReports(deps),
    getRoomReport(deps),
    deleteRoomReport(deps),
    listUserReports(deps),
    getUserReport(deps),
    deleteUserReport(deps),
    listReports(deps),
    getReport(deps),
    updateReport(deps),
    deleteReport(deps),
  ];
}
