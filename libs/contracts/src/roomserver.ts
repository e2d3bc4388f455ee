import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command, type EventLog } from './command.ts';
import { jobKind } from './jobs.ts';
import { contentReported } from './reports.ts';

export { openNoticeRoom } from './notices.ts';
export * from './foreign-events.ts';
export * from './reports.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const empty = z.object({});
const eventReference = z.object({ roomId: z.string(), eventId: z.string() });

const memberProfile = z.object({ displayname: z.string().optional(), avatarUrl: z.string().optional() });

export const stateInput = z.object({ type: z.string(), stateKey: z.string(), content: jsonObject });

/** `POST /createRoom`. Remembered, so that a redelivery makes no second room. */
export const createRoom = command('roomserver', 'createRoom', {
  input: z.object({
    creator: z.string(),
    profile: memberProfile,
    roomVersion: z.string().optional(),
    preset: z.enum(['private_chat', 'public_chat', 'trusted_private_chat']),
    /** Whether the room is listed in the public room directory. */
    listed: z.boolean(),
    aliasLocalpart: z.string().optional(),
    name: z.string().optional(),
    topic: z.string().optional(),
    isDirect: z.boolean(),
    invite: z.array(z.object({ userId: z.string(), profile: memberProfile })),
    initialState: z.array(stateInput),
    creationContent: jsonObject,
    powerLevelContentOverride: jsonObject.optional(),
  }),
  output: z.object({ roomId: z.string(), roomAlias: z.string().optional() }),
});

/** `POST /rooms/{roomId}/upgrade`. Remembered; a room that was upgraded to this version answers its replacement. */
export const upgradeRoom = command('roomserver', 'upgradeRoom', {
  input: z.object({
    roomId: z.string(),
    requestedBy: z.string(),
    profile: memberProfile,
    newVersion: z.string(),
    /** Beside the user who upgrades; without effect before room version 12. */
    additionalCreators: z.array(z.string()),
  }),
  output: z.object({ replacementRoom: z.string() }),
});

/**
 * One membership change by `sender` of `target`: join, knock and leave of oneself, invite, kick (leave of
 * another), ban and unban (leave of a banned user). Asking for what is already so answers the event there is.
 */
export const changeMembership = command('roomserver', 'changeMembership', {
  input: z.object({
    roomId: z.string(),
    sender: z.string(),
    target: z.string(),
    action: z.enum(['join', 'leave', 'invite', 'knock', 'kick', 'ban', 'unban']),
    reason: z.string().optional(),
    profile: memberProfile.optional(),
    isDirect: z.boolean().optional(),
  }),
  output: eventReference,
});

export const forgetRoom = command('roomserver', 'forgetRoom', {
  input: z.object({ roomId: z.string(), userId: z.string() }),
  output: empty,
});

/** Sends a message, state event or redaction. The same transaction of the same device answers the same event. */
export const sendEvent = command('roomserver', 'sendEvent', {
  input: z.object({
    roomId: z.string(),
    sender: z.string(),
    type: z.string(),
    stateKey: z.string().optional(),
    content: jsonObject,
    /** The event that an `m.room.redaction` redacts. */
    redacts: z.string().optional(),
    /** Redacts nothing but what the sender has sent: M_USER_SUSPENDED for all else. */
    ownOnly: z.boolean().optional(),
    transaction: z.object({ deviceId: z.string(), transactionId: z.string() }).optional(),
  }),
  output: z.object({ eventId: z.string() }),
});

export const setRoomAlias = command('roomserver', 'setRoomAlias', {
  input: z.object({ alias: z.string(), roomId: z.string(), creator: z.string() }),
  output: empty,
});

export const deleteRoomAlias = command('roomserver', 'deleteRoomAlias', {
  input: z.object({ alias: z.string(), requestedBy: z.string() }),
  output: empty,
});

/** `PUT /directory/list/room/{roomId}`. */
export const setRoomVisibility = command('roomserver', 'setRoomVisibility', {
  input: z.object({ roomId: z.string(), requestedBy: z.string(), listed: z.boolean() }),
  output: empty,
});

/** Of the leave events, as they are stored or, in a rehearsal, would be. */
const leaveBytes = z.number().default(0);

/**
 * Every local user who is joined, invited or knocking leaves by an event of their own, in one chain.
 * M_NOT_FOUND when the room is unknown. `failed` names who could not leave, with the reason.
 */
export const evacuateRoom = command('roomserver', 'evacuateRoom', {
  input: z.object({
    roomId: z.string(),
    requestedBy: z.string(),
    dryRun: z.boolean(),
    /** Keeps local users from coming back: joins, invites and knocks are refused from then on. */
    block: z.boolean(),
  }),
  output: z.object({
    affected: z.array(z.string()),
    failed: z.array(z.object({ userId: z.string(), reason: z.string() })),
    bytes: leaveBytes,
  }),
  timeoutMs: 600_000,
});

/** `evacuateRoom` of a large room, in steps; `done` counts users, who are also the items. */
export const evacuateRoomJob = jobKind({
  component: 'roomserver',
  name: 'evacuate_room',
  input: z.object({ roomId: z.string(), requestedBy: z.string(), block: z.boolean() }),
  target: ({ roomId }) => roomId,
  phases: ['block', 'leave'],
  weight: 'heavy',
  keeps: 'all',
});

/** `evacuateUser` of a user in many rooms, in steps; `done` counts rooms, which are also the items. */
export const evacuateUserJob = jobKind({
  component: 'roomserver',
  name: 'evacuate_user',
  input: z.object({ userId: z.string() }),
  target: ({ userId }) => userId,
  phases: ['leave'],
  weight: 'heavy',
  keeps: 'all',
});

/** The user leaves every joined room and turns down every invite and knock; one bad room stops no other. */
export const evacuateUser = command('roomserver', 'evacuateUser', {
  input: z.object({ userId: z.string(), requestedBy: z.string(), dryRun: z.boolean() }),
  output: z.object({
    affected: z.array(z.string()),
    failed: z.array(z.object({ roomId: z.string(), reason: z.string() })),
    bytes: leaveBytes,
  }),
  timeoutMs: 600_000,
});

/**
 * A device came back with a token of `since`: it knows of all rooms that were purged up to there. What all
 * `devices` of the user know is forgotten.
 */
export const markDeparturesSeen = command('roomserver', 'markDeparturesSeen', {
  input: z.object({
    userId: z.string(),
    deviceId: z.string(),
    since: z.number(),
    devices: z.array(z.string()),
  }),
  output: empty,
});

/** Events were stored in one room, at the stream positions from `first` to the position of this fact. */
const eventsStored = z.object({
  kind: z.literal('events_stored'),
  roomId: z.string(),
  first: z.number(),
  count: z.number(),
  /** Membership changes among them, in order. */
  memberships: z.array(
    z.object({ userId: z.string(), previous: z.string().nullable(), membership: z.string() }),
  ),
  /** Where the events came from, when not from here, and whether other servers are to have them from us. */
  via: z.object({ origin: z.string(), isRelayed: z.boolean() }).optional(),
});
const roomForgotten = z.object({ kind: z.literal('room_forgotten'), roomId: z.string(), userId: z.string() });
/** The room is gone: nobody finds it any more, and everything that names it is being deleted. */
const roomPurged = z.object({ kind: z.literal('room_purged'), roomId: z.string() });
/** A room was restored from an export: all its events are there, at positions before this one. */
const roomImported = z.object({ kind: z.literal('room_imported'), roomId: z.string() });
const roomserverFact = z.discriminatedUnion('kind', [
  eventsStored,
  roomForgotten,
  roomPurged,
  roomImported,
  contentReported,
]);
export type RoomserverFact = z.infer<typeof roomserverFact>;

export const roomserverOutput: EventLog<RoomserverFact> = {
  table: 'roomserver_output',
  consumers: [
    'syncapi-roomserver',
    'search-roomserver',
    'federation-roomserver',
    'federation-devices',
    'roomserver-directory',
    'userapi-roomserver',
  ],
  fact: roomserverFact,
};
