import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import type { Report, ReportPage, RoomserverForAdmin, UserapiForAdmin } from '@seneschal/contracts';

import { from, limitOr100 } from '../../paging.ts';

export interface ReportDeps {
  bus: CallBus;
  roomserver: Pick<RoomserverForAdmin, 'report' | 'reports'>;
  userapi: Pick<UserapiForAdmin, 'account'>;
}

/** A number above every report there can be is that of none. */
export const reportParams = z.object({
  reportId: z
    .string()
    .regex(/^\d{1,100}$/, 'is not a whole number')
    .transform((text) => Math.min(Number(text), Number.MAX_SAFE_INTEGER)),
});

/** Text to look for in identifiers. */
export const needle = z
  .string()
  .refine((text) => !text.includes('\0'), 'has a NUL character')
  .optional();

const direction = z.enum(['f', 'b'], 'is f, the oldest first, or b').default('b');

/** The paging of Synapse's lists: `from` is the number of entries before the page. */
export const offsetPage = { from, limit: limitOr100, dir: direction };
/** The paging of our own lists: `from` is the last entry of the page before. */
export const keyPage = { from, limit: limitOr100, dir: direction };

interface OffsetQuery {
  from?: string | undefined;
  limit: number;
  dir: 'f' | 'b';
}

export function toOffsetPage({ from: offset, limit, dir }: OffsetQuery): ReportPage {
  return { direction: dir, limit, offset: Number(offset ?? 0) };
}

/** `next_token` is there while more is left. */
export function nextOffset(query: OffsetQuery, shown: number, total: number): { next_token?: number } {
  const next = Number(query.from ?? 0) + shown;
  return shown > 0 && next < total ? { next_token: next } : {};
}

export const listAnswer = { total: z.number(), next_token: z.number().optional() };

export const common = {
  id: z.number(),
  received_ts: z.number(),
  user_id: z.string(),
  reason: z.string(),
};

/** What all kinds of reports have. */
export function toCommon(report: Report): { [K in keyof typeof common]: z.infer<(typeof common)[K]> } {
  return {
    id: report.reportId,
    received_ts: report.receivedTs,
    user_id: report.reporter,
    reason: report.reason,
  };
}
