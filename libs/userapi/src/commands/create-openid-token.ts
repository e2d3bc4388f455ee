import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { notFound } from '@seneschal/matrix';

import { holdDevice } from '../storage/devices.ts';
import { insertDeviceToken } from '../storage/device-tokens.ts';
import type { UserapiDb } from '../storage/tables.ts';

/** Keeps a token by which others learn who the user is; it goes with the device that asked. M_NOT_FOUND when that is gone. */
export async function createOpenidToken(
  { db }: { db: UserapiDb },
  input: z.infer<typeof userapi.createOpenidToken.input>,
): Promise<Record<string, never>> {
  await transact(db, async (trx) => {
    if (!(await holdDevice(trx, input.userId, input.deviceId))) throw notFound('This session has ended.');
    await insertDeviceToken(trx, 'userapi_openid_tokens', input);
  });
  return {};
}
