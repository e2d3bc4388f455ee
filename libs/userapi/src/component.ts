import { type Bus, handle, type Handler } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { type RoomserverForUserapi, userapi } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import { handleJob, type Jobs } from '@seneschal/jobs';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import { createAdminToken, recordAdminTokenUse, revokeAdminToken } from './commands/admin-tokens.ts';
import { deleteBackedUpSessions, storeBackedUpSessions } from './commands/backed-up-sessions.ts';
import { changePushRules } from './commands/change-push-rules.ts';
import { claimKeys } from './commands/claim-keys.ts';
import { createAccount } from './commands/create-account.ts';
import { createDevice } from './commands/create-device.ts';
import { createDeviceToken } from './commands/create-device-token.ts';
import { deactivateAccount } from './commands/deactivate-account.ts';
import { deleteDevices } from './commands/delete-devices.ts';
import { ensureNoticesAccount } from './commands/ensure-notices-account.ts';
import {
  createKeyBackupVersion,
  deleteKeyBackupVersion,
  updateKeyBackupVersion,
} from './commands/key-backup-versions.ts';
import { moderateAccount } from './commands/moderate-account.ts';
import { purgeRoomData } from './commands/purge-room-data.ts';
import { forgetRemoteDevices, receiveDeviceChanges } from './commands/receive-device-changes.ts';
import { receiveReceipts } from './commands/receive-receipts.ts';
import { receiveToDevice } from './commands/receive-to-device.ts';
import { recordConnections } from './commands/record-connections.ts';
import { confirmTokens, refreshSession } from './commands/refresh-session.ts';
import {
  createRegistrationToken,
  deleteRegistrationToken,
  updateRegistrationToken,
} from './commands/registration-tokens.ts';
import { holdRegistrationUse, releaseRegistrationUse } from './commands/registration-uses.ts';
import {
  claimDueDeviceLists,
  markRemoteDevicesStale,
  replaceRemoteDevices,
} from './commands/remote-devices.ts';
import { acknowledgeToDevice, forgetOutgoingToDevice, sendToDevice } from './commands/send-to-device.ts';
import { setAccountData } from './commands/set-account-data.ts';
import { setAdministrator } from './commands/set-administrator.ts';
import { setDeviceDisplayName } from './commands/set-device-display-name.ts';
import { setPassword } from './commands/set-password.ts';
import { setProfile, setProfileField } from './commands/set-profile.ts';
import { setReceipts } from './commands/set-receipts.ts';
import { setPusher } from './commands/set-pusher.ts';
import { setRoomTag } from './commands/set-room-tag.ts';
import { uploadCrossSigningKeys } from './commands/upload-cross-signing-keys.ts';
import { uploadKeys } from './commands/upload-keys.ts';
import { uploadSignatures } from './commands/upload-signatures.ts';
import { roomserverConsumer } from './consumers/roomserver.ts';
import { sendNotices } from './jobs/send-notices.ts';
import type { NoticesConfig } from './notices/send-notice.ts';
import { userapiReads } from './reads.ts';
import { userapiMigrations } from './storage/migrations/index.ts';
import type { UserapiDb, UserapiTables } from './storage/tables.ts';

export interface UserapiDeps {
  bus: Bus;
  database: Database;
  jobs: Pick<Jobs, 'serve'>;
  config: NoticesConfig & Pick<Config, 'bcrypt_cost'>;
  logger: Logger;
  roomserver: RoomserverForUserapi;
}

/** Starts the user API: brings its tables up to date, then serves its commands and runs its jobs. */
export async function startUserapi({
  bus,
  jobs,
  database,
  config,
  roomserver,
}: UserapiDeps): Promise<Stoppable> {
  await migrate(database, 'userapi', userapiMigrations);
  const deps = { db: database.tables<UserapiTables>(), bus, serverName: config.server_name };
  const lifecycle = new Lifecycle();
  lifecycle.add(await bus.serve('userapi', handlers(deps)));
  const notices = { db: deps.db, bus, userapi: userapiReads(database, config), config };
  lifecycle.add(
    await jobs.serve('userapi', [
      handleJob(userapi.sendNotices, { send: (context) => sendNotices(notices, context) }),
    ]),
  );
  lifecycle.add(await bus.follow(roomserverConsumer({ ...deps, roomserver })));
  return lifecycle;
}

function handlers(deps: { db: UserapiDb; bus: Bus; serverName: string }): Handler[] {
  return [
    ...accountHandlers(deps),
    handle(userapi.setDeviceDisplayName, (input) => setDeviceDisplayName(deps, input)),
    handle(userapi.setProfile, (input) => setProfile(deps, input)),
    handle(userapi.setProfileField, (input) => setProfileField(deps, input)),
    handle(userapi.setAccountData, (input) => setAccountData(deps, input)),
    handle(userapi.setRoomTag, (input) => setRoomTag(deps, input)),
    handle(userapi.changePushRules, (input) => changePushRules(deps, input)),
    handle(userapi.setReceipts, (input) => setReceipts(deps, input)),
    handle(userapi.receiveReceipts, (input) => receiveReceipts(deps, input)),
    handle(userapi.setPusher, (input) => setPusher(deps, input)),
    handle(userapi.uploadKeys, (input, context) => uploadKeys(deps, input, context)),
    handle(userapi.uploadCrossSigningKeys, (input) => uploadCrossSigningKeys(deps, input)),
    handle(userapi.uploadSignatures, (input) => uploadSignatures(deps, input)),
    handle(userapi.claimKeys, (input, context) => claimKeys(deps, input, context)),
    handle(userapi.createKeyBackupVersion, (input, context) => createKeyBackupVersion(deps, input, context)),
    handle(userapi.updateKeyBackupVersion, (input) => updateKeyBackupVersion(deps, input)),
    handle(userapi.deleteKeyBackupVersion, (input) => deleteKeyBackupVersion(deps, input)),
    handle(userapi.storeBackedUpSessions, (input) => storeBackedUpSessions(deps, input)),
    handle(userapi.deleteBackedUpSessions, (input) => deleteBackedUpSessions(deps, input)),
    handle(userapi.sendToDevice, (input, context) => sendToDevice(deps, input, context)),
    handle(userapi.receiveToDevice, (input) => receiveToDevice(deps, input)),
    handle(userapi.forgetOutgoingToDevice, (input) => forgetOutgoingToDevice(deps, input)),
    handle(userapi.acknowledgeToDevice, (input) => acknowledgeToDevice(deps, input)),
    handle(userapi.createRegistrationToken, (input, context) =>
      createRegistrationToken(deps, input, context),
    ),
    handle(userapi.updateRegistrationToken, (input) => updateRegistrationToken(deps, input)),
    handle(userapi.deleteRegistrationToken, (input) => deleteRegistrationToken(deps, input)),
    handle(userapi.holdRegistrationUse, (input) => holdRegistrationUse(deps, input)),
    handle(userapi.releaseRegistrationUse, (input) => releaseRegistrationUse(deps, input)),
    handle(userapi.purgeRoomData, (input, context) => purgeRoomData(deps, input, context)),
    handle(userapi.replaceRemoteDevices, (input) => replaceRemoteDevices(deps, input)),
    handle(userapi.receiveDeviceChanges, (input) => receiveDeviceChanges(deps, input)),
    handle(userapi.forgetRemoteDevices, (input) => forgetRemoteDevices(deps, input)),
    handle(userapi.claimDueDeviceLists, (input) => claimDueDeviceLists(deps, input)),
    handle(userapi.markRemoteDevicesStale, (input) => markRemoteDevicesStale(deps, input)),
    handle(userapi.ensureNoticesAccount, (input) => ensureNoticesAccount(deps, input)),
    handle(userapi.recordConnections, (input) => recordConnections(deps, input)),
  ];
}

/** Accounts, and what begins and ends their sessions. */
function accountHandlers(deps: Parameters<typeof handlers>[0]): Handler[] {
  return [
    handle(userapi.createAccount, (input, context) => createAccount(deps, input, context)),
    handle(userapi.createDevice, (input, context) => createDevice(deps, input, context)),
    handle(userapi.createLoginToken, (input) => createDeviceToken(deps, 'userapi_login_tokens', input)),
    handle(userapi.createOpenidToken, (input) => createDeviceToken(deps, 'userapi_openid_tokens', input)),
    handle(userapi.refreshSession, (input) => refreshSession(deps, input)),
    handle(userapi.confirmTokens, (input) => confirmTokens(deps, input)),
    handle(userapi.moderateAccount, (input) => moderateAccount(deps, input)),
    handle(userapi.createAdminToken, (input, context) => createAdminToken(deps, input, context)),
    handle(userapi.revokeAdminToken, (input, context) => revokeAdminToken(deps, input, context)),
    handle(userapi.recordAdminTokenUse, (input) => recordAdminTokenUse(deps, input)),
    handle(userapi.deleteDevices, (input, context) => deleteDevices(deps, input, context)),
    handle(userapi.setPassword, (input, context) => setPassword(deps, input, context)),
    handle(userapi.deactivateAccount, (input) => deactivateAccount(deps, input)),
    handle(userapi.setAdministrator, (input) => setAdministrator(deps, input)),
  ];
}
