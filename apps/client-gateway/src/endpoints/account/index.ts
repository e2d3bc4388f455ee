import type { Endpoint } from '@seneschal/http';

import { accountData, roomAccountData, setAccountData, setRoomAccountData } from './account-data.ts';
import { uploadCrossSigningKeys, uploadSignatures } from './cross-signing.ts';
import { deactivate } from './deactivate.ts';
import { deleteDevice, deleteDevices } from './delete-devices.ts';
import type { AccountDeps } from './deps.ts';
import { device, renameDevice } from './device.ts';
import { devices } from './devices.ts';
import {
  createKeyBackup,
  deleteKeyBackup,
  keyBackup,
  latestKeyBackup,
  updateKeyBackup,
} from './key-backups.ts';
import { backedUpSessions, deleteBackedUpSessions, storeBackedUpSessions } from './backed-up-sessions.ts';
import { sendToDevice } from './send-to-device.ts';
import { changePushRule, deletePushRule, pushRuleParts, putPushRule } from './change-push-rules.ts';
import { presence } from './presence.ts';
import { claimKeys, uploadKeys } from './keys.ts';
import { loginToken } from './login-token.ts';
import { login, loginFlows } from './login.ts';
import { logout, logoutAll } from './logout.ts';
import { openidToken } from './openid-token.ts';
import { changePassword } from './password.ts';
import { deleteProfileField, profile, profileField, setProfileField } from './profile.ts';
import { globalPushRules, pushRule, pushRules } from './push-rules.ts';
import { pushers, setPusher } from './pushers.ts';
import { queryKeys } from './query-keys.ts';
import { refresh } from './refresh.ts';
import { register, registerAvailable } from './register.ts';
import { registrationTokenValidity } from './registration-token-validity.ts';
import { removeTag, setTag, tags } from './tags.ts';
import { thirdPartyIdentifiers } from './third-party-identifiers.ts';
import { whoami } from './whoami.ts';

export type { AccountDeps } from './deps.ts';

/** Everything about accounts, devices, profiles, account data and keys. */
export function accountEndpoints(deps: AccountDeps): Endpoint[] {
  return [
    loginFlows(),
    login(deps),
    loginToken(deps),
    refresh(deps),
    logout(deps),
    logoutAll(deps),
    register(deps),
    registerAvailable(deps),
    registrationTokenValidity(deps),
    whoami(),
    openidToken(deps),
    thirdPartyIdentifiers(),
    changePassword(deps),
    deactivate(deps),
    devices(deps),
    device(deps),
    renameDevice(deps),
    deleteDevice(deps),
    deleteDevices(deps),
    profile(deps),
    profileField(deps),
    setProfileField(deps),
    deleteProfileField(deps),
    accountData(deps),
    setAccountData(deps),
    roomAccountData(deps),
    setRoomAccountData(deps),
    tags(deps),
    setTag(deps),
    removeTag(deps),
    pushRules(deps),
    globalPushRules(deps),
    pushRule(deps),
    ...pushRuleParts(deps),
    putPushRule(deps),
    deletePushRule(deps),
    ...changePushRule(deps),
    ...presence(deps),
    pushers(deps),
    setPusher(deps),
    ...keyEndpoints(deps),
  ];
}

function keyEndpoints(deps: AccountDeps): Endpoint[] {
  return [
    uploadKeys(deps),
    queryKeys(deps),
    claimKeys(deps),
    uploadCrossSigningKeys(deps),
    uploadSignatures(deps),
    createKeyBackup(deps),
    latestKeyBackup(deps),
    keyBackup(deps),
    updateKeyBackup(deps),
    deleteKeyBackup(deps),
    ...storeBackedUpSessions(deps),
    ...backedUpSessions(deps),
    ...deleteBackedUpSessions(deps),
    sendToDevice(deps),
  ];
}
