import { sql } from 'kysely';
import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { notFound } from '@seneschal/matrix';

import { holdDevice } from '../storage/devices.ts';
import { appendFacts, deviceFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setDeviceDisplayName.input>;

export interface SetDeviceDisplayNameDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Names a device; others see the name beside its keys. M_NOT_FOUND when there is no such device. */
export async function setDeviceDisplayName(
  deps: SetDeviceDisplayNameDeps,
  { userId, deviceId, displayName }: Input,
): Promise<Record<string, never>> {
  const position = await transact(deps.db, async (trx) => {
    if (!(await holdDevice(trx, userId, deviceId))) throw notFound('There is no such device.');
    const changed = await sql`UPDATE userapi_devices SET display_name = ${displayName}
      WHERE user_id = ${userId} AND device_id = ${deviceId}
        AND display_name IS DISTINCT FROM ${displayName}`.execute(trx);
    if (changed.numAffectedRows === 0n) return 0;
    return appendFacts(trx, deviceFacts(userId, [deviceId]));
  });
  wakeConsumers(deps.bus, position);
  return {};
}
