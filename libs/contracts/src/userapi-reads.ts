import type { JsonObject } from '@seneschal/matrix';

import type { NoticesForAdmin } from './notices.ts';
import type { RegistrationTokensForAdmin, RegistrationTokensForClient } from './registration.ts';
import type { BackedUpSession, KeyBackupVersion } from './key-backups.ts';
import type { RoomDataReads } from './room-rows.ts';
import type { FullProfile, Profile } from './profiles.ts';
import type { ReadUpTo, Receipt } from './receipts.ts';
import type { RemoteDeviceKeys } from './remote-devices.ts';
import type { AdminToken } from './admin-tokens.ts';
import type { CrossSigningKeys } from './cross-signing.ts';
import type { ToDeviceMessage } from './to-device.ts';
import type { AccountType } from './userapi.ts';

export interface Account {
  userId: string;
  localpart: string;
  accountType: AccountType;
  createdTs: number;
  isDeactivated: boolean;
  isLocked: boolean;
  isSuspended: boolean;
  appserviceId: string | null;
}

/** Who makes a request, read together with the token at each request. */
export interface Requester {
  userId: string;
  deviceId: string;
  accountType: AccountType;
  /** May do nothing but log out. */
  isLocked?: true;
  /** May read, and tidy up. */
  isSuspended?: true;
  /** Other than a token that is in use: one that is used for the first time after a refresh, or no longer. */
  token?: 'new' | 'expired';
  /** Of a machine: the token by which it acts for the user. It has no device. */
  adminToken?: Pick<AdminToken, 'id' | 'name' | 'scopes' | 'addresses'>;
}

export interface Device {
  deviceId: string;
  displayName: string | null;
  createdTs: number;
  lastSeenTs: number | null;
  lastSeenIp: string | null;
}

/** One device with every connection that it was seen on, newest first. */
export interface Session {
  deviceId: string;
  connections: { ip: string; lastSeen: number; userAgent: string }[];
}

/** What a password reset would end. */
export interface SessionSummary {
  devices: number;
  pushers: number;
  devicesWithKeys: number;
  hasKeyBackup: boolean;
}

/** What every gateway needs to know its callers. */
export interface UserapiForGateways {
  /** `tokenHash` is the SHA-256 (base64url) of the token. Undefined when unknown or deactivated. */
  requesterByToken(tokenHash: string): Promise<Requester | undefined>;
  /** As requesterByToken, for the tokens of machines; where it is absent none is known. */
  requesterByAdminToken?(tokenHash: string): Promise<Requester | undefined>;
}

export interface UserapiForAdmin extends RegistrationTokensForAdmin, NoticesForAdmin, RoomDataReads {
  /** How many users of another server there are of whom anything is held. */
  countRemoteUsers(serverName: string): Promise<number>;
  /** Tokens of machines, the newest first. */
  adminTokens(): Promise<AdminToken[]>;
  account(userId: string): Promise<Account | undefined>;
  /** Undefined when there is no such account. */
  sessions(userId: string): Promise<Session[] | undefined>;
  sessionSummary(userId: string): Promise<SessionSummary>;
}

export interface UserapiForClient extends UserapiForAdmin, RegistrationTokensForClient {
  /**
   * Checks a password in time that does not tell whether the account exists.
   * The digest of the stored hash goes into `createDevice`. Undefined when wrong, unknown or deactivated.
   */
  verifyPassword(
    userId: string,
    password: string,
  ): Promise<{ userId: string; passwordHashDigest: string } | undefined>;
  /** Who may log in by a token that `createLoginToken` keeps; undefined when it is worth nothing (any more). */
  userOfLoginToken(tokenHash: string): Promise<string | undefined>;
  profile(userId: string): Promise<FullProfile | undefined>;
  profiles(userIds: readonly string[]): Promise<Map<string, Profile>>;
  devices(userId: string): Promise<Device[]>;
  accountData(userId: string, roomId: string | null, type: string): Promise<JsonObject | undefined>;
  pushers(userId: string): Promise<JsonObject[]>;
  /** `POST /keys/query` for local users: device keys by user and device; an empty list asks for all. */
  deviceKeys(devices: Record<string, string[]>): Promise<Record<string, Record<string, JsonObject>>>;
  /**
   * Cross-signing keys of local users who have any, with all signatures that `requester` may see; null for those
   * that everybody sees.
   */
  crossSigningKeys(
    userIds: readonly string[],
    requester: string | null,
  ): Promise<Map<string, CrossSigningKeys>>;
  /** What is held of other servers' users, as `deviceKeys`; those of whom nothing was ever fetched are not in it. */
  remoteDeviceKeys(
    devices: Record<string, string[]>,
    requester: string,
  ): Promise<Map<string, RemoteDeviceKeys>>;
  latestKeyBackup(userId: string): Promise<KeyBackupVersion | undefined>;
  keyBackup(userId: string, version: string): Promise<KeyBackupVersion | undefined>;
  /** One session, those of a room, or all of a backup; undefined when there is no such backup. */
  backedUpSessions(sessions: {
    userId: string;
    version: string;
    roomId?: string | undefined;
    sessionId?: string | undefined;
  }): Promise<BackedUpSession[] | undefined>;
}

/** What the room server reads of users. */
export interface UserapiForRoomserver {
  /** Of local users; unknown ones are left out. */
  profiles(userIds: readonly string[]): Promise<Map<string, Profile>>;
  /** Whom a local user ignores. */
  ignoredUsers(userId: string): Promise<string[]>;
  /** Which of the users want no invites. */
  invitesBlockedBy(userIds: readonly string[]): Promise<Set<string>>;
}

export interface UserapiForSync extends Pick<UserapiForRoomserver, 'ignoredUsers'> {
  /** The last committed position of `userapi_output`. */
  position(): Promise<number>;
  /** Account data that changed in (from, to]; everything there is when `from` is null. */
  accountDataBetween(
    userId: string,
    from: number | null,
    to: number,
  ): Promise<{ roomId: string | null; type: string; content: JsonObject }[]>;
  deviceIds(userId: string): Promise<string[]>;
  /** The first messages to a device after a position; the answer's `upTo` is where to go on from. */
  toDevice(
    device: { userId: string; deviceId: string },
    range: { after: number; upTo: number; limit: number },
  ): Promise<{ messages: ToDeviceMessage[]; upTo: number }>;
  /** Rooms in which receipts came in (from, to]; undefined when there are too many to tell. */
  receiptRooms(from: number, to: number): Promise<string[] | undefined>;
  /** Receipts of rooms from a position each up to `to`, as far as the user may see them; none of ignored users. */
  receipts(
    userId: string,
    rooms: readonly { roomId: string; from: number }[],
    to: number,
  ): Promise<Receipt[]>;
  /** Up to where the user has read rooms; those without a receipt are not in it. */
  readUpTo(userId: string, roomIds: readonly string[]): Promise<Map<string, ReadUpTo>>;
  accountData(userId: string, roomId: string | null, type: string): Promise<JsonObject | undefined>;
  /** Users, anywhere, whose device list changed in (from, to]; `signed` are those whose keys the user signed. */
  deviceListChanges(
    userId: string,
    from: number,
    to: number,
  ): Promise<{ changed: string[]; signed: string[] }>;
  keyCounts(
    userId: string,
    deviceId: string,
  ): Promise<{ oneTimeKeys: Record<string, number>; unusedFallbackKeyTypes: string[] }>;
}
