import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { notFound } from '@seneschal/matrix';

import { insertDeviceToken } from '../storage/device-tokens.ts';
import { holdDevice } from '../storage/devices.ts';
import type { UserapiDb } from '../storage/tables.ts';

/** Keeps a token to log in by; it goes with the device that asked for it. M_NOT_FOUND when that is gone. */
export async function createLoginToken(
  { db }: { db: UserapiDb },
  input: z.infer<typeof userapi.createLoginToken.input>,
): Promise<Record<string, never>> {
  await transact(db, async (trx) => {
    if (!(await holdDevice(trx, input.userId, input.deviceId))) throw notFound('This session has ended.');
    await insertDeviceToken(trx, 'userapi_login_tokens', input);
  });
  return {};
}
