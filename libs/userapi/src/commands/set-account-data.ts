import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';

import { changeAccountData } from '../storage/account-data.ts';
import { wakeConsumers } from '../storage/output.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setAccountData.input>;

export interface SetAccountDataDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Replaces one piece of a user's account data, of a room or of none. */
export async function setAccountData(
  deps: SetAccountDataDeps,
  { userId, roomId, type, content }: Input,
): Promise<Record<string, never>> {
  const key = { userId, roomId: roomId ?? null, type };
  const position = await transact(deps.db, (trx) => changeAccountData(trx, key, () => content));
  wakeConsumers(deps.bus, position);
  return {};
}
