import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { notFound } from '@seneschal/matrix';

import { lockAccount, updatePassword } from '../storage/accounts.ts';
import { lockDevices, removeDevices } from '../storage/devices.ts';
import { appendFacts, deviceFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setPassword.input>;

export interface SetPasswordDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/**
 * Sets the password and, when asked, ends all sessions but `keepDeviceId` in the same transaction.
 * M_NOT_FOUND when there is no such account, or it is deactivated.
 */
export async function setPassword(
  deps: SetPasswordDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<{ devicesDeleted: number }> {
  const { output, position } = await transact(deps.db, async (trx) => {
    const { isDeactivated } = await lockAccount(trx, input.userId);
    if (isDeactivated) throw notFound('The account is deactivated.');
    await updatePassword(trx, input.userId, input.passwordHash);
    const ended = await endSessions(trx, input);
    const output = { devicesDeleted: ended.length };
    await context.remember(trx, output);
    const facts = deviceFacts(input.userId, ended);
    return { output, position: facts.length === 0 ? 0 : await appendFacts(trx, facts) };
  });
  wakeConsumers(deps.bus, position);
  return output;
}

async function endSessions(trx: UserapiTransaction, input: Input): Promise<string[]> {
  if (!input.logoutDevices) return [];
  const devices = await lockDevices(trx, input.userId);
  const ended = devices.filter((deviceId) => deviceId !== input.keepDeviceId);
  await removeDevices(trx, input.userId, ended);
  return ended;
}
