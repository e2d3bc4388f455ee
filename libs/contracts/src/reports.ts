import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

/** What users complain about: an event, a room as a whole, or another user. */
export const reportKinds = ['event', 'room', 'user'] as const;
export type ReportKind = (typeof reportKinds)[number];

/** A report is new until an administrator takes it, and then until it is resolved. */
export const reportStatuses = ['new', 'assigned', 'resolved'] as const;
export type ReportStatus = (typeof reportStatuses)[number];

const reported = z.object({ reportId: z.number() });

/** M_NOT_FOUND when the reporter is not joined to the room, or there is no such event in it. */
export const reportEvent = command('roomserver', 'reportEvent', {
  input: z.object({
    roomId: z.string(),
    eventId: z.string(),
    reporter: z.string(),
    reason: z.string(),
    score: z.number(),
  }),
  output: reported,
});

/** M_NOT_FOUND when there is no such room here. The reporter need not be in it. */
export const reportRoom = command('roomserver', 'reportRoom', {
  input: z.object({ roomId: z.string(), reporter: z.string(), reason: z.string() }),
  output: reported,
});

/** Whether there is such a user is for the caller to know. */
export const reportUser = command('roomserver', 'reportUser', {
  input: z.object({ userId: z.string(), reporter: z.string(), reason: z.string() }),
  output: reported,
});

/**
 * Changes what is given. An assignee takes a new report; without one an assigned report is new again.
 * M_NOT_FOUND; M_INVALID_PARAM for a report that would be assigned to nobody.
 */
export const updateReport = command('roomserver', 'updateReport', {
  input: z.object({
    reportId: z.number(),
    updatedBy: z.string(),
    status: z.enum(reportStatuses).optional(),
    assignee: z.string().nullable().optional(),
    note: z.string().nullable().optional(),
  }),
  output: z.object({}),
});

/** M_NOT_FOUND when there is no such report, or it is of another kind. */
export const deleteReport = command('roomserver', 'deleteReport', {
  input: z.object({ reportId: z.number(), kind: z.enum(reportKinds).optional() }),
  output: z.object({}),
});

/** A report, for those who come to know of it by the log. */
export const contentReported = z.object({
  kind: z.literal('content_reported'),
  reportId: z.number(),
  reportKind: z.enum(reportKinds),
});

export interface Report {
  reportId: number;
  kind: ReportKind;
  receivedTs: number;
  reporter: string;
  reason: string;
  /** From -100 (most offensive) to 0; only older clients tell. */
  score: number;
  roomId: string | null;
  eventId: string | null;
  /** Who sent the event. */
  sender: string | null;
  targetUserId: string | null;
  status: ReportStatus;
  assignee: string | null;
  note: string | null;
  updatedTs: number | null;
  updatedBy: string | null;
  /** Empty when the room has none, or is no more. */
  roomName: string;
  canonicalAlias: string;
}

/** Texts are looked for anywhere in the identifier. */
export interface ReportFilter {
  kind?: ReportKind;
  status?: ReportStatus;
  assignee?: string;
  reporter?: string;
  roomId?: string;
  sender?: string;
  targetUserId?: string;
}

export interface ReportPage {
  /** The order in which they came in, or the other way round. */
  direction: 'f' | 'b';
  limit: number;
  /** Reports to pass over first. */
  offset?: number;
  /** The report that the page comes after, in its direction. */
  after?: number;
}

export interface ReportsForAdmin {
  reports(filter: ReportFilter, page: ReportPage): Promise<{ reports: Report[]; total: number }>;
  /** With the event as it was when it was reported. Undefined when there is none, or of another kind. */
  report(reportId: number, kind?: ReportKind): Promise<(Report & { event: JsonObject | null }) | undefined>;
}
