import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

const pdu = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

const verdict = z.object({
  eventId: z.string(),
  /**
   * `missing` names events that the server has to have first. Rejected and soft-failed events are kept, and shown to
   * nobody; `known` ones were accepted before.
   */
  outcome: z.enum(['accepted', 'known', 'rejected', 'soft_failed', 'missing']),
  reason: z.string().optional(),
  prevEvents: z.array(z.string()).optional(),
  authEvents: z.array(z.string()).optional(),
});

/**
 * Takes events of other servers into a room that this server is in. Their signatures and hashes have been checked by
 * the caller, and where a hash was wrong, the redacted event is given. M_NOT_FOUND when the room is unknown, M_FORBIDDEN
 * while it is being deleted.
 */
export const receiveEvents = command('roomserver', 'receiveEvents', {
  input: z.object({
    roomId: z.string(),
    /** The server that sent them. */
    origin: z.string(),
    /** Whether the other servers of the room are to have them from here. */
    isRelayed: z.boolean(),
    /** In order. `stateBefore` are the IDs of a state that another server told, in place of what parents lead to. */
    events: z.array(z.object({ pdu, stateBefore: z.array(z.string()).optional() })),
    /** Events without a place in the history: auth events, and state. */
    outliers: z.array(pdu),
  }),
  output: z.object({ results: z.array(verdict) }),
  timeoutMs: 120_000,
  isLarge: true,
});

/**
 * Stores a room as it was when a local user joined it through another server, with the join. A room of which the server
 * knows an older state goes on from the new one. M_FORBIDDEN when the room does not allow the join by the state that was
 * told, or is being deleted, or is blocked.
 */
export const storeJoinedRoom = command('roomserver', 'storeJoinedRoom', {
  input: z.object({
    roomId: z.string(),
    roomVersion: z.string(),
    origin: z.string(),
    event: pdu,
    state: z.array(pdu),
    authChain: z.array(pdu),
  }),
  output: z.object({
    eventId: z.string(),
    /** What was told and is not believed. */
    refused: z.array(z.object({ eventId: z.string(), reason: z.string() })),
  }),
  timeoutMs: 300_000,
  isLarge: true,
});

const stateChange = z.object({
  type: z.string(),
  stateKey: z.string(),
  /** Event IDs; null where there was, or is, none. */
  before: z.string().nullable(),
  after: z.string().nullable(),
});
export type StateChange = z.infer<typeof stateChange>;

/**
 * Resolves states of the room that another server told against the room's own, and makes the result the room's state; no
 * event is sent. Signatures and hashes have been checked by the caller. Repeated, it finds nothing to change. M_NOT_FOUND
 * when the room is unknown, M_FORBIDDEN while it is being deleted.
 */
export const mergeState = command('roomserver', 'mergeState', {
  input: z.object({
    roomId: z.string(),
    origin: z.string(),
    /** The state before each of some events of the room, by event IDs. */
    states: z.array(z.object({ before: z.string(), state: z.array(z.string()) })),
    /** The events of the states, and their auth chains. */
    events: z.array(pdu),
    /** Answers the same, and stores nothing. */
    isRehearsal: z.boolean(),
  }),
  output: z.object({
    changes: z.array(stateChange),
    /** What was told and is not believed. */
    refused: z.array(z.object({ eventId: z.string(), reason: z.string() })),
    /** Events that the server did not have. */
    newEvents: z.number(),
  }),
  timeoutMs: 300_000,
  isLarge: true,
});

/**
 * Stores a membership of a local user in a room that the server is not in: an invite from elsewhere, a knock, or the
 * leave that ends them. An invite to a blocked room is M_FORBIDDEN.
 */
export const storeOutsideMembership = command('roomserver', 'storeOutsideMembership', {
  input: z.object({
    roomId: z.string(),
    roomVersion: z.string(),
    event: pdu,
    /** What was told of the room. */
    strippedState: z.array(pdu),
  }),
  output: z.object({ eventId: z.string() }),
});

/**
 * Makes, and does not store, a membership event of this room: the template for another server's user, or an invite that
 * the invited user's server has to sign. Throws what the room's rules say.
 */
export const draftMembership = command('roomserver', 'draftMembership', {
  input: z.object({
    roomId: z.string(),
    sender: z.string(),
    target: z.string(),
    membership: z.enum(['join', 'leave', 'invite', 'knock']),
    content: pdu,
  }),
  output: z.object({ roomVersion: z.string(), event: pdu, strippedState: z.array(pdu) }),
});
