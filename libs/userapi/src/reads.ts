import type { Config } from '@seneschal/config';
import type {
  UserapiForClient,
  UserapiForFederation,
  UserapiForGateways,
  UserapiForRoomserver,
  UserapiForSync,
} from '@seneschal/contracts';
import { userapi } from '@seneschal/contracts';
import { countAllOwned, type Database, lastPosition } from '@seneschal/database';

import { account } from './queries/account.ts';
import { accountData, accountDataBetween } from './queries/account-data.ts';
import { crossSigningKeys } from './queries/cross-signing-keys.ts';
import { backedUpSessions } from './queries/backed-up-sessions.ts';
import { deviceKeys } from './queries/device-keys.ts';
import { deviceListChanges, deviceListPosition } from './queries/device-list-changes.ts';
import { deviceUpdates } from './queries/device-updates.ts';
import { deviceIds } from './queries/device-ids.ts';
import { adminTokens, requesterByAdminToken } from './queries/admin-tokens.ts';
import { devices } from './queries/devices.ts';
import { userOfLoginToken } from './queries/login-tokens.ts';
import { ignoredUsers } from './queries/ignored-users.ts';
import { userOfOpenidToken } from './queries/openid-tokens.ts';
import { invitesBlockedBy } from './queries/invite-permission.ts';
import { keyBackup } from './queries/key-backups.ts';
import { keyCounts } from './queries/key-counts.ts';
import { profile, profiles } from './queries/profiles.ts';
import { pushers } from './queries/pushers.ts';
import { publicReceipts, receiptRooms, receipts } from './queries/receipts.ts';
import {
  isRegistrationTokenValid,
  registrationToken,
  registrationTokens,
  usersOfRegistrationToken,
} from './queries/registration-tokens.ts';
import { countRemoteUsers, remoteDeviceKeys, remoteUsersOf } from './queries/remote-devices.ts';
import { requesterByToken } from './queries/requester-by-token.ts';
import { sessionSummary } from './queries/session-summary.ts';
import { sessions } from './queries/sessions.ts';
import { outgoingToDevice, toDevice } from './queries/to-device.ts';
import { verifyPassword } from './queries/verify-password.ts';
import { selectReadUpTo } from './storage/receipts.ts';
import { countNoticeUsers } from './storage/notice-users.ts';
import { roomRows } from './storage/room-rows.ts';
import type { UserapiTables } from './storage/tables.ts';

/** Everything that may be read of accounts, in the caller's process. */
export type UserapiReads = UserapiForGateways &
  UserapiForClient &
  UserapiForSync &
  UserapiForFederation &
  UserapiForRoomserver;

export function userapiReads(database: Database, config: Pick<Config, 'bcrypt_cost'>): UserapiReads {
  const db = database.tables<UserapiTables>();
  return {
    requesterByToken: (tokenHash) => requesterByToken(db, tokenHash),
    requesterByAdminToken: (tokenHash) => requesterByAdminToken(db, tokenHash),
    countRemoteUsers: (serverName) => countRemoteUsers(db, serverName),
    adminTokens: () => adminTokens(db),
    account: (userId) => account(db, userId),
    sessions: (userId) => sessions(db, userId),
    sessionSummary: (userId) => sessionSummary(db, userId),
    countRoomData: (roomIds) => countAllOwned(db, roomRows, roomIds),
    countNoticeUsers: (audience) => countNoticeUsers(db, audience),
    registrationTokens: (page) => registrationTokens(db, page),
    registrationToken: (token) => registrationToken(db, token),
    usersOfRegistrationToken: (token, page) => usersOfRegistrationToken(db, token, page),
    isRegistrationTokenValid: (token) => isRegistrationTokenValid(db, token),
    verifyPassword: (userId, password) => verifyPassword(db, config.bcrypt_cost, userId, password),
    userOfLoginToken: (tokenHash) => userOfLoginToken(db, tokenHash),
    userOfOpenidToken: (tokenHash) => userOfOpenidToken(db, tokenHash),
    profile: (userId) => profile(db, userId),
    profiles: (userIds) => profiles(db, userIds),
    ignoredUsers: (userId) => ignoredUsers(db, userId),
    invitesBlockedBy: (userIds) => invitesBlockedBy(db, userIds),
    devices: (userId) => devices(db, userId),
    deviceIds: (userId) => deviceIds(db, userId),
    accountData: (userId, roomId, type) => accountData(db, userId, roomId, type),
    pushers: (userId) => pushers(db, userId),
    deviceKeys: (wanted) => deviceKeys(db, wanted),
    latestKeyBackup: (userId) => keyBackup(db, userId, undefined),
    keyBackup: (userId, version) => keyBackup(db, userId, version),
    backedUpSessions: (sessions) => backedUpSessions(db, sessions),
    receiptRooms: (from, to) => receiptRooms(db, from, to),
    receipts: (userId, rooms, to) => receipts(db, userId, rooms, to),
    publicReceipts: (positions) => publicReceipts(db, positions),
    readUpTo: (userId, roomIds) => selectReadUpTo(db, userId, roomIds),
    outgoingToDevice: (positions) => outgoingToDevice(db, positions),
    toDevice: (device, range) => toDevice(db, device, range),
    position: () => lastPosition(db, userapi.userapiOutput.table),
    accountDataBetween: (userId, from, to) => accountDataBetween(db, userId, from, to),
    deviceListChanges: (userId, from, to) => deviceListChanges(db, userId, from, to),
    deviceUpdates: (changes) => deviceUpdates(db, changes),
    deviceListPosition: (userId) => deviceListPosition(db, userId),
    crossSigningKeys: (userIds, requester) => crossSigningKeys(db, userIds, requester),
    remoteDeviceKeys: (wanted, requester) => remoteDeviceKeys(db, wanted, requester),
    remoteUsersOf: (serverName, after, limit) => remoteUsersOf(db, serverName, after, limit),
    keyCounts: (userId, deviceId) => keyCounts(db, userId, deviceId),
  };
}
