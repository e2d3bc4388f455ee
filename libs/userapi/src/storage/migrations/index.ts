import type { Migrations } from '@seneschal/database';

import { accounts } from './0001-accounts.ts';
import { keys } from './0002-keys.ts';
import { registrationTokens } from './0003-registration-tokens.ts';
import { roomRows } from './0004-room-rows.ts';
import { remoteDevices } from './0005-remote-devices.ts';
import { adminTokens } from './0006-admin-tokens.ts';
import { administrators } from './0007-administrators.ts';
import { crossSigning } from './0008-cross-signing.ts';
import { keyBackups } from './0009-key-backups.ts';
import { toDevice } from './0010-to-device.ts';
import { receipts } from './0011-receipts.ts';
import { otherServers } from './0012-other-servers.ts';
import { profileFields } from './0020-profile-fields.ts';
import { sessionTokens } from './0021-session-tokens.ts';
import { accountModeration } from './0022-account-moderation.ts';
import { openidTokens } from './0023-openid-tokens.ts';
import { refreshTokenExpiry } from './0024-refresh-token-expiry.ts';

export const userapiMigrations: Migrations = {
  '0001_accounts': accounts,
  '0002_keys': keys,
  '0003_registration_tokens': registrationTokens,
  '0004_room_rows': roomRows,
  '0005_remote_devices': remoteDevices,
  '0006_admin_tokens': adminTokens,
  '0007_administrators': administrators,
  '0008_cross_signing': crossSigning,
  '0009_key_backups': keyBackups,
  '0010_to_device': toDevice,
  '0011_receipts': receipts,
  '0012_other_servers': otherServers,
  '0020_profile_fields': profileFields,
  '0021_session_tokens': sessionTokens,
  '0022_account_moderation': accountModeration,
  '0023_openid_tokens': openidTokens,
  '0024_refresh_token_expiry': refreshTokenExpiry,
};
