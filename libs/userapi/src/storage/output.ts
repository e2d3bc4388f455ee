import { userapi, type UserapiFact } from '@seneschal/contracts';
import { appendToLog } from '@seneschal/database';
import type { WakeBus } from '@seneschal/bus';

import type { UserapiTransaction } from './tables.ts';

/** Writes facts to `userapi_output`; call it last in the transaction. Answers the last position. */
export function appendFacts(trx: UserapiTransaction, facts: readonly UserapiFact[]): Promise<number> {
  return appendToLog(trx, userapi.userapiOutput.table, facts);
}

/** One fact for each device that was added, changed or removed: other servers count changes by device. */
export function deviceFacts(userId: string, deviceIds: readonly string[]): UserapiFact[] {
  return deviceIds.map((deviceId) => ({ kind: 'device_list_changed', userId, deviceId }));
}

/** Wakes the consumers after the commit; 0 stands for a transaction that wrote no fact. */
export function wakeConsumers(bus: WakeBus, position: number): void {
  if (position > 0) bus.wake(userapi.userapiOutput, position);
}
