import { z } from 'zod';

import { command } from './command.ts';

/** A token that lets people register: how often and how long, and how often it has been used. */
export interface RegistrationToken {
  token: string;
  /** null for no limit. */
  usesAllowed: number | null;
  /** Registrations under way that hold a use; those whose time is up do not count. */
  pending: number;
  completed: number;
  /** When the token stops working, in ms; null for never. */
  expiryTime: number | null;
}

const registrationToken = z.object({
  token: z.string(),
  usesAllowed: z.number().nullable(),
  pending: z.number(),
  completed: z.number(),
  expiryTime: z.number().nullable(),
});

/**
 * Makes a registration token, with `length` random characters when none is given. 409 M_INVALID_PARAM when
 * the token exists.
 */
export const createRegistrationToken = command('userapi', 'createRegistrationToken', {
  input: z.object({
    token: z.string().optional(),
    length: z.number(),
    usesAllowed: z.number().nullable(),
    expiryTime: z.number().nullable(),
    createdBy: z.string(),
  }),
  output: registrationToken,
});

/**
 * Changes what is given. M_NOT_FOUND when there is no such token; M_INVALID_PARAM for an expiry in the past,
 * unless it is the one that the token has.
 */
export const updateRegistrationToken = command('userapi', 'updateRegistrationToken', {
  input: z.object({
    token: z.string(),
    usesAllowed: z.number().nullable().optional(),
    expiryTime: z.number().nullable().optional(),
  }),
  output: registrationToken,
});

/** From then on the token lets nobody in, also who is half-way. M_NOT_FOUND when there is no such token. */
export const deleteRegistrationToken = command('userapi', 'deleteRegistrationToken', {
  input: z.object({ token: z.string() }),
  output: z.object({}),
});

/**
 * Holds one use of a token for a registration under way, until `expiresTs`. The same registration holds one
 * use however often it asks. `held` is false when the token lets nobody in (any more).
 */
export const holdRegistrationUse = command('userapi', 'holdRegistrationUse', {
  input: z.object({
    /** The SHA-256 (base64url) of the session of the registration. */
    session: z.string(),
    token: z.string(),
    expiresTs: z.number(),
  }),
  output: z.object({ held: z.boolean() }),
});

/** Gives back the use that a registration holds, if it holds one. */
export const releaseRegistrationUse = command('userapi', 'releaseRegistrationUse', {
  input: z.object({ session: z.string() }),
  output: z.object({}),
});

/** A page of a list in the order of its keys; `from` is the `next` of the page before. */
export interface KeyPage {
  from?: string;
  limit: number;
}

export interface RegistrationTokensForAdmin {
  /** All of them, or those that let somebody in now (`valid: true`), or those that do not. */
  registrationTokens(page: {
    valid?: boolean;
    from?: string;
    limit?: number;
  }): Promise<{ tokens: RegistrationToken[]; next?: string }>;
  registrationToken(token: string): Promise<RegistrationToken | undefined>;
  /** The accounts that were made with a token, the first one first. Undefined when there is no such token. */
  usersOfRegistrationToken(
    token: string,
    page: KeyPage,
  ): Promise<{ users: { userId: string; registeredTs: number }[]; total: number; next?: string } | undefined>;
}

export interface RegistrationTokensForClient {
  /** Whether the token would let somebody in now. */
  isRegistrationTokenValid(token: string): Promise<boolean>;
}
