import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';

import { lockAccount } from '../storage/accounts.ts';
import { lockDevices, removeDevices } from '../storage/devices.ts';
import { appendFacts, deviceFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.deleteDevices.input>;

export interface DeleteDevicesDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Ends sessions; devices that do not exist are passed over. M_NOT_FOUND when there is no such account. */
export async function deleteDevices(
  deps: DeleteDevicesDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<{ deleted: number }> {
  const { userId, deviceIds } = input;
  const { output, position } = await transact(deps.db, async (trx) => {
    await lockAccount(trx, userId);
    const all = await lockDevices(trx, userId);
    const chosen = deviceIds === undefined ? all : all.filter((deviceId) => deviceIds.includes(deviceId));
    const output = { deleted: chosen.length };
    await context.remember(trx, output);
    if (chosen.length === 0) return { output, position: 0 };
    await removeDevices(trx, userId, chosen);
    return { output, position: await appendFacts(trx, deviceFacts(userId, chosen)) };
  });
  wakeConsumers(deps.bus, position);
  return output;
}
