import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';

import { lockAdministrators, requireAnother } from '../storage/administrators.ts';
import { removeAccountRows } from '../storage/account-rows.ts';
import { lockAccount, markDeactivated } from '../storage/accounts.ts';
import { lockDevices, removeDevices } from '../storage/devices.ts';
import { appendFacts, deviceFacts, wakeConsumers } from '../storage/output.ts';
import { eraseProfile } from '../storage/profiles.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.deactivateAccount.input>;

export interface DeactivateAccountDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/**
 * In one transaction: no login any more, no password, no session, nothing of what the user has stored, and the
 * fact from which everything else follows. Deactivating twice is doing it once. M_NOT_FOUND when there is no such account, M_FORBIDDEN for the
 * last administrator, whoever asks.
 */
export async function deactivateAccount(
  deps: DeactivateAccountDeps,
  { userId, erase = false }: Input,
): Promise<Record<string, never>> {
  const position = await transact(deps.db, async (trx) => {
    const administrators = await lockAdministrators(trx);
    const { isDeactivated } = await lockAccount(trx, userId);
    if (erase) await eraseProfile(trx, userId);
    if (isDeactivated) return erase ? appendFacts(trx, [{ kind: 'account_deactivated', userId, erase }]) : 0;
    requireAnother(administrators, userId);
    await markDeactivated(trx, userId);
    const devices = await lockDevices(trx, userId);
    await removeDevices(trx, userId, devices);
    await removeAccountRows(trx, userId);
    return appendFacts(trx, [
      { kind: 'account_deactivated', userId, ...(erase ? { erase } : {}) },
      ...deviceFacts(userId, devices),
      // Of a user without devices cross-signing keys may have gone.
      ...(devices.length === 0 ? [{ kind: 'device_list_changed', userId, crossSigning: true } as const] : []),
    ]);
  });
  wakeConsumers(deps.bus, position);
  return {};
}
