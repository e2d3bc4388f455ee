import { z } from 'zod';

import { command } from './command.ts';

/** Where a request came from; what whois tells. */
export const connection = z.object({ ip: z.string(), userAgent: z.string() });
export type Connection = z.infer<typeof connection>;

/** Tokens of a session. Only their SHA-256 (base64url) crosses the queue, and is kept. */
const tokens = z.object({
  tokenHash: z.string(),
  /** Until when the access token holds, in ms; for ever when absent. */
  expiresTs: z.number().optional(),
  /** Of the token by which the session gets new ones. */
  refreshHash: z.string().optional(),
  /** Until when that one holds, in ms; for ever when absent. */
  refreshExpiresTs: z.number().optional(),
});

/** A device to make with its tokens. */
export const newDevice = tokens.extend({
  deviceId: z.string().optional(),
  displayName: z.string().optional(),
  connection,
});

/**
 * Logs in: makes the device or, when it exists, gives it new tokens in place of the old ones.
 * `passwordHashDigest` is of the stored hash that the password was checked against: when the password has changed
 * since, the login fails with M_FORBIDDEN, as when `loginTokenHash` is used up. M_USER_DEACTIVATED, M_USER_LOCKED.
 */
export const createDevice = command('userapi', 'createDevice', {
  input: newDevice.extend({
    userId: z.string(),
    passwordHashDigest: z.string().optional(),
    loginTokenHash: z.string().optional(),
  }),
  output: z.object({ deviceId: z.string() }),
});

/**
 * `POST /refresh`: gives a session new tokens. The old ones hold until one of the new ones is used, so a client to which
 * the answer is lost asks again. M_UNKNOWN_TOKEN with `soft_logout`, M_USER_LOCKED.
 */
export const refreshSession = command('userapi', 'refreshSession', {
  input: z.object({ refreshHash: z.string(), next: tokens.required({ expiresTs: true, refreshHash: true }) }),
  output: z.object({}),
});

/** A new access token was used: from here on the old tokens of the session are worth nothing. */
export const confirmTokens = command('userapi', 'confirmTokens', {
  input: z.object({ tokenHash: z.string() }),
  output: z.object({}),
});

const deviceToken = z.object({
  userId: z.string(),
  deviceId: z.string(),
  tokenHash: z.string(),
  expiresTs: z.number(),
});

/** A token by which one other device logs in, once and soon. M_NOT_FOUND when the device is gone. */
export const createLoginToken = command('userapi', 'createLoginToken', {
  input: deviceToken,
  output: z.object({}),
});

/** A token by which others learn who the user is. M_NOT_FOUND when the device is gone. */
export const createOpenidToken = command('userapi', 'createOpenidToken', {
  input: deviceToken,
  output: z.object({}),
});

/**
 * Suspends or locks an account, or takes that back (client-server API v1.18, "Account moderation"); what is not given
 * stays. M_NOT_FOUND, also for a deactivated account; M_FORBIDDEN for an administrator.
 */
export const moderateAccount = command('userapi', 'moderateAccount', {
  input: z.object({
    userId: z.string(),
    isSuspended: z.boolean().optional(),
    isLocked: z.boolean().optional(),
  }),
  output: z.object({}),
});
