import { z } from 'zod';

import { type NoticeAudience, userapi, type UserapiForAdmin } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import type { Jobs } from '@seneschal/jobs';
import { badJson, type JsonObject } from '@seneschal/matrix';

import { flag } from '../../flag.ts';
import { longCall, longCallAnswers, type LongCallDeps, rehearsalAnswer, rehearse } from '../../long-call.ts';
import { digestOf, noticeBody, readNotice } from './shapes.ts';

export interface SendNoticesDeps extends LongCallDeps {
  jobs: Pick<Jobs, 'start' | 'wait' | 'reads'>;
  userapi: Pick<UserapiForAdmin, 'countNoticeUsers'>;
}

const mostUsers = 10_000;
const time = z.int().min(0).optional();
const text = z
  .string()
  .max(255)
  .refine((value) => !value.includes('\0'), 'has a NUL character');

const body = z.object({
  ...noticeBody,
  /** Everybody; one of `all`, `user_ids` and `filter` has to be there. */
  all: z.literal(true).optional(),
  user_ids: z.array(text).min(1).max(mostUsers).optional(),
  filter: z
    .strictObject({
      name: text.optional(),
      admins: z.boolean().optional(),
      created_since: time,
      created_before: time,
      seen_since: time,
    })
    .optional(),
  per_second: z.int().min(1).max(100).default(10),
});

/** A notice to many, as a job: paced, resumed after a crash, with a result for each user. */
export const sendNotices = (deps: SendNoticesDeps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_seneschal/v1/notices',
    access: 'admin',
    rateLimit: 'admin',
    scope: 'server',
    summary: 'Sends a server notice to all users, to those named or to those that fit a filter',
    query: z.object({ dry_run: flag }),
    body,
    answer: z.union([
      z.object({ job_id: z.string(), sent: z.number(), failed: z.number() }),
      rehearsalAnswer,
    ]),
    otherAnswers: longCallAnswers,
    handle: async (request) => {
      const { body: asked, query } = request;
      const input = { notice: readNotice(asked), audience: audienceOf(asked) };
      if (query.dry_run) {
        const users = await deps.userapi.countNoticeUsers(input.audience);
        return rehearse(deps.jobs, userapi.sendNotices, { users, events: users }, users);
      }
      const digest = digestOf(JSON.parse(JSON.stringify(input)) as JsonObject);
      return longCall(deps, request, {
        kind: userapi.sendNotices,
        input: { ...input, perSecond: asked.per_second, digest },
        answer: ({ jobId, done, failedItems }) => ({
          job_id: jobId,
          sent: done - failedItems,
          failed: failedItems,
        }),
      });
    },
  });

/** Whom it goes to has to be said, and once: a notice to everybody is never a slip. */
function audienceOf(asked: z.infer<typeof body>): NoticeAudience {
  const given = [asked.all, asked.user_ids, asked.filter].filter((one) => one !== undefined);
  if (given.length !== 1) throw badJson('Give one of all, user_ids and filter.');
  if (asked.user_ids !== undefined) return { to: 'users', userIds: asked.user_ids };
  const filter = asked.filter ?? {};
  return {
    to: 'matching',
    name: filter.name,
    isAdmin: filter.admins,
    createdSince: filter.created_since,
    createdBefore: filter.created_before,
    seenSince: filter.seen_since,
  };
}
