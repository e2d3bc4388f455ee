import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import { type Receipt, userapi } from '@seneschal/contracts';
import { allotPositions, insertFacts, lockLog, transact } from '@seneschal/database';

import { wakeConsumers } from '../storage/output.ts';
import { advancing, upsertReceipts } from '../storage/receipts.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.receiveReceipts.input>;

export interface ReceiveReceiptsDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Moves receipts on; those that would go back, or are there already, are passed over. */
export async function receiveReceipts(
  deps: ReceiveReceiptsDeps,
  input: Input,
): Promise<Record<string, never>> {
  const position = await transact(deps.db, async (trx) => {
    await lockLog(trx, userapi.userapiOutput.table);
    return store(trx, await advancing(trx, furthest(input)));
  });
  wakeConsumers(deps.bus, position);
  return {};
}

/** Of several receipts of one user in one thread of a room the one for the latest event. */
function furthest({ receipts }: Input): Receipt[] {
  const latest = new Map<string, Receipt>();
  for (const receipt of receipts) {
    const key = JSON.stringify([receipt.roomId, receipt.userId, receipt.threadId]);
    const other = latest.get(key);
    if (other !== undefined && other.eventPosition >= receipt.eventPosition) continue;
    latest.set(key, { ...receipt, type: 'm.read' });
  }
  return [...latest.values()];
}

/** One fact for each user in each room. Answers the last position; 0 when nothing has changed. */
async function store(trx: UserapiTransaction, moved: readonly Receipt[]): Promise<number> {
  if (moved.length === 0) return 0;
  const keyOf = ({ userId, roomId }: Receipt): string => `${userId} ${roomId}`;
  const users = new Map(moved.map((receipt) => [keyOf(receipt), receipt]));
  const { table } = userapi.userapiOutput;
  const positions = await allotPositions(trx, table, users.size);
  const facts = [...users.values()].map(({ userId, roomId }) => ({
    ...{ kind: 'receipts_changed', userId, roomId, isPublic: true },
  }));
  await insertFacts(trx, table, positions, facts);
  const places = new Map([...users.keys()].map((key, index) => [key, positions[index] ?? 0]));
  await upsertReceipts(
    trx,
    moved.map((receipt) => ({ ...receipt, position: places.get(keyOf(receipt)) ?? 0 })),
  );
  return positions.at(-1) ?? 0;
}
