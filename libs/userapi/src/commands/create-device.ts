import type { z } from 'zod';

import type { CommandContext } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, userDeactivated, userLocked } from '@seneschal/matrix';

import { hashDigest } from '../passwords/passwords.ts';
import { lockAccount } from '../storage/accounts.ts';
import { upsertDevice } from '../storage/devices.ts';
import { takeLoginToken } from '../storage/session-tokens.ts';
import type { UserapiDb } from '../storage/tables.ts';
import { newDeviceId } from './create-account.ts';

type Input = z.infer<typeof userapi.createDevice.input>;

export interface CreateDeviceDeps {
  db: UserapiDb;
}

/**
 * Logs in. M_USER_DEACTIVATED and M_USER_LOCKED when the account is; M_FORBIDDEN when its password is no longer the one
 * that was checked, or the login token has been used.
 */
export async function createDevice(
  deps: CreateDeviceDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<{ deviceId: string }> {
  const output = { deviceId: input.deviceId ?? newDeviceId() };
  await transact(deps.db, async (trx) => {
    // Remembered, so that a late second delivery never brings back a token that has been replaced since.
    await context.remember(trx, output);
    const { passwordHash, isDeactivated, isLocked } = await lockAccount(trx, input.userId);
    if (isDeactivated) throw userDeactivated('This account has been deactivated.');
    if (isLocked) throw userLocked();
    const { passwordHashDigest: digest, loginTokenHash } = input;
    if (digest !== undefined && (passwordHash === null || hashDigest(passwordHash) !== digest)) {
      throw forbidden('The password has just been changed.');
    }
    if (loginTokenHash !== undefined && !(await takeLoginToken(trx, loginTokenHash, input.userId))) {
      throw forbidden('The login token has been used, or its time is up.');
    }
    const { deviceId } = output;
    await upsertDevice(trx, { ...input, deviceId, displayName: input.displayName ?? null });
  });
  return output;
}
