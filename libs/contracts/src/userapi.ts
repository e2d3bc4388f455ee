import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command, type EventLog } from './command.ts';
import { purgeRoomCommand } from './room-rows.ts';
import { connection, newDevice } from './sessions.ts';

export { ensureNoticesAccount, sendNotices } from './notices.ts';
export * from './admin-tokens.ts';
export * from './cross-signing.ts';
export * from './key-backups.ts';
export * from './profiles.ts';
export * from './push-rules.ts';
export * from './receipts.ts';
export * from './registration.ts';
export * from './remote-devices.ts';
export * from './sessions.ts';
export * from './to-device.ts';

/** The values of `userapi_accounts.account_type`. */
export const accountTypes = { user: 1, guest: 2, admin: 3, appservice: 4 } as const;
export type AccountType = (typeof accountTypes)[keyof typeof accountTypes];

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const empty = z.object({});

/**
 * Makes an account and, when asked, its first device. M_USER_IN_USE when the name is taken, M_FORBIDDEN when
 * the registration holds no use of a token (any more).
 */
export const createAccount = command('userapi', 'createAccount', {
  input: z.object({
    localpart: z.string(),
    /** A bcrypt hash; null for an account that nobody can log in to by password. */
    passwordHash: z.string().nullable(),
    accountType: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
    displayname: z.string().optional(),
    device: newDevice.optional(),
    /** Uses up what `holdRegistrationUse` holds for this session. */
    registrationSession: z.string().optional(),
  }),
  output: z.object({ userId: z.string(), deviceId: z.string().optional() }),
});

/** Deletes devices with tokens, device keys and pushers; `deviceIds` absent means all of them. */
export const deleteDevices = command('userapi', 'deleteDevices', {
  input: z.object({ userId: z.string(), deviceIds: z.array(z.string()).optional() }),
  output: z.object({ deleted: z.number() }),
});

export const setDeviceDisplayName = command('userapi', 'setDeviceDisplayName', {
  input: z.object({ userId: z.string(), deviceId: z.string(), displayName: z.string() }),
  output: empty,
});

/**
 * Sets the password and, when asked, ends sessions: tokens, devices, device keys and pushers go in the same
 * transaction. M_NOT_FOUND when there is no such account.
 */
export const setPassword = command('userapi', 'setPassword', {
  input: z.object({
    userId: z.string(),
    passwordHash: z.string(),
    logoutDevices: z.boolean(),
    /** The caller's own device when a user changes the password: it stays. */
    keepDeviceId: z.string().optional(),
  }),
  output: z.object({ devicesDeleted: z.number() }),
});

/**
 * Refuses logins from here on, then ends all sessions; the rooms are left by a consumer of the log. With `erase` the profile
 * goes, too, and what the user has said is hidden from whoever comes later: also of an account that is deactivated already. M_NOT_FOUND;
 * M_FORBIDDEN for the last administrator.
 */
export const deactivateAccount = command('userapi', 'deactivateAccount', {
  input: z.object({ userId: z.string(), erase: z.boolean().optional() }),
  output: empty,
});

/**
 * Makes a user an administrator, or an ordinary user again. M_NOT_FOUND, M_INVALID_PARAM; M_FORBIDDEN for the
 * last administrator.
 */
export const setAdministrator = command('userapi', 'setAdministrator', {
  input: z.object({ userId: z.string(), isAdmin: z.boolean() }),
  output: empty,
});

export const setAccountData = command('userapi', 'setAccountData', {
  input: z.object({
    userId: z.string(),
    roomId: z.string().optional(),
    type: z.string(),
    content: jsonObject,
  }),
  output: empty,
});

/** Sets one tag of a room, or removes it when `content` is null, beside whatever other tags there are. */
export const setRoomTag = command('userapi', 'setRoomTag', {
  input: z.object({
    userId: z.string(),
    roomId: z.string(),
    tag: z.string(),
    content: jsonObject.nullable(),
  }),
  output: empty,
});

export const setPusher = command('userapi', 'setPusher', {
  input: z.object({
    userId: z.string(),
    deviceId: z.string(),
    appId: z.string(),
    pushkey: z.string(),
    /** null deletes the pusher. */
    pusher: jsonObject.nullable(),
    append: z.boolean(),
  }),
  output: empty,
});

const oneTimeKeyCounts = z.record(z.string(), z.number());

/** `POST /keys/upload`. Keys are signed JSON objects or, for unsigned one-time keys, strings. */
export const uploadKeys = command('userapi', 'uploadKeys', {
  input: z.object({
    userId: z.string(),
    deviceId: z.string(),
    deviceKeys: jsonObject.optional(),
    oneTimeKeys: z.record(z.string(), z.union([z.string(), jsonObject])).optional(),
    fallbackKeys: z.record(z.string(), z.union([z.string(), jsonObject])).optional(),
  }),
  output: z.object({ oneTimeKeyCounts }),
});

/** `POST /keys/claim` for local users: each one-time key is given out once. */
export const claimKeys = command('userapi', 'claimKeys', {
  input: z.object({ oneTimeKeys: z.record(z.string(), z.record(z.string(), z.string())) }),
  output: z.object({ oneTimeKeys: z.record(z.string(), z.record(z.string(), jsonObject)) }),
});

/** Deletes what users have stored for a room: account data with tags, and the facts that tell of it. */
export const purgeRoomData = purgeRoomCommand('userapi');

/** What gateways saw since the last call; sent every few seconds, never once per request. */
export const recordConnections = command('userapi', 'recordConnections', {
  input: z.object({
    connections: z.array(
      connection.extend({ userId: z.string(), deviceId: z.string(), lastSeen: z.number() }),
    ),
  }),
  output: empty,
});

const userapiFact = z.discriminatedUnion('kind', [
  /** `erase`: what the user has said is shown to nobody who comes later. */
  z.object({
    kind: z.literal('account_deactivated'),
    userId: z.string(),
    erase: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('account_registered'), userId: z.string() }),
  /** What rooms show of a user is another. */
  z.object({ kind: z.literal('profile_changed'), userId: z.string() }),
  z.object({
    kind: z.literal('device_list_changed'),
    userId: z.string(),
    /** The device of a local user that was added, changed or removed. */
    deviceId: z.string().optional(),
    /** Set when a local user's cross-signing keys changed, and no device. */
    crossSigning: z.literal(true).optional(),
  }),
  /** A user signed the master key of another: only the signer sees it. */
  z.object({ kind: z.literal('user_signed'), userId: z.string(), target: z.string() }),
  z.object({
    kind: z.literal('receipts_changed'),
    userId: z.string(),
    roomId: z.string(),
    /** False when they are for the user alone. */
    isPublic: z.boolean(),
  }),
  z.object({ kind: z.literal('to_device_sent'), userIds: z.array(z.string()) }),
  /** Messages to devices of other servers wait at this position. */
  z.object({ kind: z.literal('to_device_queued') }),
  z.object({
    kind: z.literal('account_data_changed'),
    userId: z.string(),
    roomId: z.string().nullable(),
    type: z.string(),
  }),
]);
export type UserapiFact = z.infer<typeof userapiFact>;

export const userapiOutput: EventLog<UserapiFact> = {
  table: 'userapi_output',
  consumers: ['syncapi-userapi', 'roomserver-userapi', 'roomserver-profiles', 'federation-userapi'],
  fact: userapiFact,
};
