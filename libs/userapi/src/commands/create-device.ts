import type { z } from 'zod';

import type { CommandContext } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, userDeactivated } from '@seneschal/matrix';

import { hashDigest } from '../passwords/passwords.ts';
import { lockAccount } from '../storage/accounts.ts';
import { upsertDevice } from '../storage/devices.ts';
import type { UserapiDb } from '../storage/tables.ts';
import { newDeviceId } from './create-account.ts';

type Input = z.infer<typeof userapi.createDevice.input>;

export interface CreateDeviceDeps {
  db: UserapiDb;
}

/**
 * Logs in. M_USER_DEACTIVATED when the account is; M_FORBIDDEN when its password is no longer the one that
 * was checked.
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
    const { passwordHash, isDeactivated } = await lockAccount(trx, input.userId);
    if (isDeactivated) throw userDeactivated('This account has been deactivated.');
    const digest = input.passwordHashDigest;
    if (digest !== undefined && (passwordHash === null || hashDigest(passwordHash) !== digest)) {
      throw forbidden('The password has just been changed.');
    }
    await upsertDevice(trx, {
      userId: input.userId,
      deviceId: output.deviceId,
      tokenHash: input.tokenHash,
      displayName: input.displayName ?? null,
      connection: input.connection,
    });
  });
  return output;
}
