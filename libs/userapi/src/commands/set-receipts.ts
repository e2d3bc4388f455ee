import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import { userapi } from '@seneschal/contracts';
import { lockLog, transact } from '@seneschal/database';

import { changeAccountData } from '../storage/account-data.ts';
import { appendFacts, wakeConsumers } from '../storage/output.ts';
import { advancing, upsertReceipts } from '../storage/receipts.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.setReceipts.input>;

export interface SetReceiptsDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Moves receipts on; those that would go back, or are there already, are passed over. */
export async function setReceipts(deps: SetReceiptsDeps, input: Input): Promise<Record<string, never>> {
  const { userId, roomId, fullyRead } = input;
  const position = await transact(deps.db, async (trx) => {
    await lockLog(trx, userapi.userapiOutput.table);
    const moved = await move(trx, input);
    if (fullyRead === undefined) return moved;
    const key = { userId, roomId, type: 'm.fully_read' };
    return changeAccountData(trx, key, () => ({ event_id: fullyRead }));
  });
  wakeConsumers(deps.bus, position);
  return {};
}

/** The position of the fact; 0 when nothing has changed. */
async function move(trx: UserapiTransaction, { userId, roomId, receipts }: Input): Promise<number> {
  const ts = Date.now();
  const all = receipts.map((receipt) => ({ ...receipt, userId, roomId, ts }));
  const moved = all.length === 0 ? [] : await advancing(trx, all);
  if (moved.length === 0) return 0;
  const isPublic = moved.some(({ type }) => type === 'm.read');
  const position = await appendFacts(trx, [{ kind: 'receipts_changed', userId, roomId, isPublic }]);
  await upsertReceipts(
    trx,
    moved.map((receipt) => ({ ...receipt, position })),
  );
  return position;
}
