import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';
import { jobKind } from './jobs.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** Makes the account that notices come from, which nobody can log in to; done once however often it is asked. */
export const ensureNoticesAccount = command('userapi', 'ensureNoticesAccount', {
  input: z.object({ localpart: z.string(), displayname: z.string() }),
  output: z.object({}),
});

/**
 * The room in which a user gets notices: the one there is, with the user in it or invited anew, or a new one.
 * M_FORBIDDEN when the room is blocked, or the user banned from it.
 */
export const openNoticeRoom = command('roomserver', 'openNoticeRoom', {
  input: z.object({
    userId: z.string(),
    profile: z.object({ displayname: z.string().optional(), avatarUrl: z.string().optional() }),
    /** The notices account. */
    sender: z.string(),
    senderName: z.string(),
    roomName: z.string(),
  }),
  output: z.object({ roomId: z.string() }),
});

/** What a notice says, all of it as it was given. */
const notice = z.object({
  type: z.string(),
  stateKey: z.string().optional(),
  content: jsonObject,
});
export type Notice = z.infer<typeof notice>;

/** Who gets a notice; who is deactivated never does. */
const audience = z.discriminatedUnion('to', [
  z.object({ to: z.literal('users'), userIds: z.array(z.string()) }),
  z.object({
    to: z.literal('matching'),
    /** Part of the user ID. */
    name: z.string().optional(),
    isAdmin: z.boolean().optional(),
    createdSince: z.number().optional(),
    createdBefore: z.number().optional(),
    seenSince: z.number().optional(),
  }),
]);
export type NoticeAudience = z.infer<typeof audience>;

/** Sends one notice to many users, so many a second at the most, with a result for each of them. */
export const sendNotices = jobKind({
  component: 'userapi',
  name: 'send_notices',
  input: z.object({
    notice,
    audience,
    perSecond: z.number(),
    /** Of notice and audience: the same one is not sent twice at the same time. */
    digest: z.string(),
  }),
  target: (input) => input.digest,
  phases: ['send'],
  weight: 'light',
  keeps: 'all',
});

export interface NoticesForAdmin {
  /** How many users there are in an audience. */
  countNoticeUsers(audience: NoticeAudience): Promise<number>;
}
