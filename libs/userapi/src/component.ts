import { type Bus, handle } from '@seneschal/bus';
import type { Config } from '@seneschal/config';
import { userapi } from '@seneschal/contracts';
import { type Database, migrate } from '@seneschal/database';
import type { Logger, Stoppable } from '@seneschal/observability';

import { claimKeys } from './commands/claim-keys.ts';
import { createAccount } from './commands/create-account.ts';
import { createDevice } from './commands/create-device.ts';
import { deactivateAccount } from './commands/deactivate-account.ts';
import { deleteDevices } from './commands/delete-devices.ts';
import {
  createKeyBackupVersion,
  deleteKeyBackupVersion,
  updateKeyBackupVersion,
} from './commands/key-backup-versions.ts';
import { purgeRoomData } from './commands/purge-room-data.ts';
import { recordConnections } from './commands/record-connections.ts';
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
import { setAccountData } from './commands/set-account-data.ts';
import { setDeviceDisplayName } from './commands/set-device-display-name.ts';
import { setPassword } from './commands/set-password.ts';
import { setProfile } from './commands/set-profile.ts';
import { setPusher } from './commands/set-pusher.ts';
import { setRoomTag } from './commands/set-room-tag.ts';
import { uploadKeys } from './commands/upload-keys.ts';
import { userapiMigrations } from './storage/migrations/index.ts';
import type { UserapiTables } from './storage/tables.ts';

export interface UserapiDeps {
  bus: Bus;
  database: Database;
  config: Pick<Config, 'server_name'>;
  logger: Logger;
}

/** Starts the user API: brings its tables up to date, then serves its commands. */
export async function startUserapi({ bus, database, config }: UserapiDeps): Promise<Stoppable> {
  await migrate(database, 'userapi', userapiMigrations);
  const deps = { db: database.tables<UserapiTables>(), bus, serverName: config.server_name };
  return bus.serve('userapi', [
    handle(userapi.createAccount, (input, context) => createAccount(deps, input, context)),
    handle(userapi.createDevice, (input, context) => createDevice(deps, input, context)),
    handle(userapi.deleteDevices, (input, context) => deleteDevices(deps, input, context)),
    handle(userapi.setDeviceDisplayName, (input) => setDeviceDisplayName(deps, input)),
    handle(userapi.setPassword, (input, context) => setPassword(deps, input, context)),
    handle(userapi.deactivateAccount, (input) => deactivateAccount(deps, input)),
    handle(userapi.setProfile, (input) => setProfile(deps, input)),
    handle(userapi.setAccountData, (input) => setAccountData(deps, input)),
    handle(userapi.setRoomTag, (input) => setRoomTag(deps, input)),
    handle(userapi.setPusher, (input) => setPusher(deps, input)),
    handle(userapi.uploadKeys, (input, context) => uploadKeys(deps, input, context)),
    handle(userapi.claimKeys, (input, context) => claimKeys(deps, input, context)),
    handle(userapi.createKeyBackupVersion, (input, context) => createKeyBackupVersion(deps, input, context)),
    handle(userapi.updateKeyBackupVersion, (input) => updateKeyBackupVersion(deps, input)),
    handle(userapi.deleteKeyBackupVersion, (input) => deleteKeyBackupVersion(deps, input)),
    handle(userapi.createRegistrationToken, (input, context) =>
      createRegistrationToken(deps, input, context),
    ),
    handle(userapi.updateRegistrationToken, (input) => updateRegistrationToken(deps, input)),
    handle(userapi.deleteRegistrationToken, (input) => deleteRegistrationToken(deps, input)),
    handle(userapi.holdRegistrationUse, (input) => holdRegistrationUse(deps, input)),
    handle(userapi.releaseRegistrationUse, (input) => releaseRegistrationUse(deps, input)),
    handle(userapi.purgeRoomData, (input, context) => purgeRoomData(deps, input, context)),
    handle(userapi.replaceRemoteDevices, (input) => replaceRemoteDevices(deps, input)),
    handle(userapi.claimDueDeviceLists, (input) => claimDueDeviceLists(deps, input)),
    handle(userapi.markRemoteDevicesStale, (input) => markRemoteDevicesStale(deps, input)),
    handle(userapi.recordConnections, (input) => recordConnections(deps, input)),
  ]);
}
