import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';
import { jobKind } from './jobs.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/**
 * A transaction of another server: up to 50 PDUs and 100 EDUs. Every PDU has a result of its own, by event ID, and one
 * that is refused harms no other. What was received before is known, so a transaction may come again.
 */
export const receiveTransaction = command('federation', 'receiveTransaction', {
  input: z.object({ origin: z.string(), pdus: z.array(jsonObject), edus: z.array(jsonObject) }),
  output: z.object({ pdus: z.record(z.string(), z.object({ error: z.string().optional() })) }),
  timeoutMs: 110_000,
});

/**
 * A join, knock or leave by a user of another server, which that server signed after our template. Answers the event as
 * it was stored, with our signature where the join needs it. M_FORBIDDEN when the room does not allow it.
 */
export const receiveMembership = command('federation', 'receiveMembership', {
  input: z.object({
    origin: z.string(),
    roomId: z.string(),
    /** In the path; undefined where it is not known. */
    eventId: z.string(),
    membership: z.enum(['join', 'knock', 'leave']),
    event: jsonObject,
  }),
  output: z.object({ event: jsonObject }),
  timeoutMs: 60_000,
});

/** An invite of a local user by a user of another server. Answers the event with our signature. */
export const receiveInvite = command('federation', 'receiveInvite', {
  input: z.object({
    origin: z.string(),
    roomId: z.string(),
    eventId: z.string(),
    roomVersion: z.string(),
    event: jsonObject,
    strippedState: z.array(jsonObject),
  }),
  output: z.object({ event: jsonObject }),
});

/**
 * A local user joins a room that this server is not in, through one of the servers that are. The error is that of the
 * last server; 502 M_UNKNOWN when none could be reached.
 */
export const joinRoom = command('federation', 'joinRoom', {
  input: z.object({
    roomId: z.string(),
    userId: z.string(),
    /** In the order in which to try them. */
    servers: z.array(z.string()),
    /** Of the membership event: profile and reason. */
    content: jsonObject,
  }),
  output: z.object({ roomId: z.string(), eventId: z.string() }),
  timeoutMs: 300_000,
});

/**
 * A local user knocks at a room that this server is not in, through one of the servers that are. The error is that of the
 * last server; 502 M_UNKNOWN when none could be reached.
 */
export const knockRoom = command('federation', 'knockRoom', {
  input: z.object({
    roomId: z.string(),
    userId: z.string(),
    /** In the order in which to try them. */
    servers: z.array(z.string()),
    /** Of the membership event: profile and reason. */
    content: jsonObject,
  }),
  output: z.object({ roomId: z.string(), eventId: z.string() }),
  timeoutMs: 300_000,
});

/**
 * Asks servers that are in a room for the event closest to a time, at it or in one direction from it; null when none of
 * them tells one that is.
 */
export const remoteTimestampToEvent = command('federation', 'remoteTimestampToEvent', {
  input: z.object({ roomId: z.string(), ts: z.number(), direction: z.enum(['f', 'b']) }),
  output: z.object({ eventId: z.string(), originServerTs: z.number() }).nullable(),
  timeoutMs: 60_000,
});

/**
 * A local user turns down an invite to a room that this server is not in. When no server of the room can be told, the
 * user is out of it on this server all the same, and `reason` says why.
 */
export const leaveRoom = command('federation', 'leaveRoom', {
  input: z.object({ roomId: z.string(), userId: z.string() }),
  output: z.object({ eventId: z.string(), isTold: z.boolean(), reason: z.string().optional() }),
  timeoutMs: 60_000,
});

/** A local user invites a user of another server, which has to agree. */
export const inviteUser = command('federation', 'inviteUser', {
  input: z.object({ roomId: z.string(), sender: z.string(), target: z.string(), content: jsonObject }),
  output: z.object({ eventId: z.string() }),
  timeoutMs: 60_000,
});

/** Asks the server of a room alias which room it points to. M_NOT_FOUND when it does not know, 502 when it cannot be asked. */
export const resolveAlias = command('federation', 'resolveAlias', {
  input: z.object({ alias: z.string() }),
  output: z.object({ roomId: z.string(), servers: z.array(z.string()) }),
});

/** Asks a user's own server for the profile. M_NOT_FOUND when it does not know the user, 502 when it cannot be asked. */
export const remoteProfile = command('federation', 'remoteProfile', {
  input: z.object({ userId: z.string() }),
  output: z.object({ profile: jsonObject }),
});

/** Tells the other servers of a room that a local user types in it, or has stopped. Nobody misses one that is lost. */
export const sendTyping = command('federation', 'sendTyping', {
  input: z.object({ roomId: z.string(), userId: z.string(), isTyping: z.boolean() }),
  output: z.object({}),
});

/** Takes over, from the room server's log, everything that is to be sent to other servers by now. */
export const takeOutgoing = command('federation', 'takeOutgoing', {
  input: z.object({}),
  output: z.object({}),
});

const downloaded = z.object({
  /** In what the state of the room differs, before and after. */
  changes: z.array(
    z.object({
      type: z.string(),
      stateKey: z.string(),
      before: z.string().nullable(),
      after: z.string().nullable(),
    }),
  ),
  /** What was told and is not believed, by event ID, or by `#` and its place where there is none. */
  dropped: z.array(z.object({ eventId: z.string(), reason: z.string() })),
  newEvents: z.number(),
  /** The forward extremities at which the other server told a state. */
  asked: z.array(z.string()),
  /** Those that it does not know, or would not tell of. */
  notTold: z.array(z.object({ eventId: z.string(), reason: z.string() })),
});

/**
 * What the job `download_state` would do: asks the other server, and stores nothing. M_NOT_FOUND for a room without a
 * history here; 502 M_UNKNOWN with the reason when the server tells no state.
 */
export const rehearseDownload = command('federation', 'rehearseDownload', {
  input: z.object({ roomId: z.string(), serverName: z.string() }),
  output: downloaded,
  timeoutMs: 600_000,
});

/**
 * Fetches the state of a room at its forward extremities from a server, and has it resolved against the room's own. The
 * items of the job are the changes of the state, and what was dropped (`skipped`).
 */
export const downloadStateJob = jobKind({
  component: 'federation',
  name: 'download_state',
  input: z.object({ roomId: z.string(), serverName: z.string() }),
  target: ({ roomId, serverName }) => `${roomId} ${serverName}`,
  phases: ['download'],
  weight: 'heavy',
  keeps: 'all',
});
