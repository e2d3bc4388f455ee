import { transact } from '@seneschal/database';
import { notFound } from '@seneschal/matrix';

import { type DeviceToken, type DeviceTokenTable, insertDeviceToken } from '../storage/device-tokens.ts';
import { holdDevice } from '../storage/devices.ts';
import type { UserapiDb } from '../storage/tables.ts';

/**
 * Keeps a token to log in by, or one by which others learn who the user is; it goes with the device that asked for
 * it. M_NOT_FOUND when that is gone.
 */
export async function createDeviceToken(
  { db }: { db: UserapiDb },
  table: DeviceTokenTable,
  token: DeviceToken,
): Promise<Record<string, never>> {
  await transact(db, async (trx) => {
    if (!(await holdDevice(trx, token.userId, token.deviceId))) throw notFound('This session has ended.');
    await insertDeviceToken(trx, table, token);
  });
  return {};
}
