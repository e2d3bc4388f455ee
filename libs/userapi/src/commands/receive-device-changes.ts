import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { canonicalJson, serverNameOf } from '@seneschal/matrix';

import { appendFacts, wakeConsumers } from '../storage/output.ts';
import {
  applyRemoteDevice,
  forgetRemoteLists,
  lockRemoteList,
  markDue,
  type StoredRemoteDevice,
} from '../storage/remote-devices.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';

type Input = z.infer<typeof userapi.receiveDeviceChanges.input>;
type Change = Input['changes'][number];

export interface ReceiveDeviceChangesDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Takes changes user by user. A repetition finds them taken, or has the list fetched once more. */
export async function receiveDeviceChanges(
  { db, bus }: ReceiveDeviceChangesDeps,
  { changes }: Input,
): Promise<{ stale: string[] }> {
  const users = new Map<string, Change['device'][]>();
  for (const { userId, device } of changes) users.set(userId, [...(users.get(userId) ?? []), device]);
  const stale: string[] = [];
  for (const [userId, devices] of users) {
    const { isStale, position } = await transact(db, (trx) => receive(trx, userId, devices));
    wakeConsumers(bus, position);
    if (isStale) stale.push(userId);
  }
  return { stale };
}

async function receive(
  trx: UserapiTransaction,
  userId: string,
  devices: readonly Change['device'][],
): Promise<{ isStale: boolean; position: number }> {
  const list = await lockRemoteList(trx, userId, serverNameOf(userId) ?? '');
  let { isStale, streamId: held } = list;
  let isChanged = false;
  for (const device of devices) {
    // What is held already, in a repetition.
    if (device !== null && !isStale && device.streamId === held) continue;
    isStale ||= device === null || !isNext(device, held);
    if (device === null || isStale) break;
    await applyRemoteDevice(trx, userId, device.streamId, stored(device));
    held = device.streamId;
    isChanged = true;
  }
  if (isStale) await markDue(trx, userId);
  const facts = [{ kind: 'device_list_changed' as const, userId }];
  return { isStale, position: isChanged ? await appendFacts(trx, facts) : 0 };
}

type Told = NonNullable<Change['device']>;

/** Server-server API, "Device Management": without a gap, `prev_id` names what came before, and nothing else. */
function isNext({ prevIds }: Told, held: number): boolean {
  return prevIds.length > 0 && prevIds.every((id) => id === held);
}

function stored({
  deviceId,
  isDeleted,
  keys,
  displayName,
}: Told): StoredRemoteDevice & { isDeleted: boolean } {
  return { deviceId, isDeleted, displayName, keys: keys === null ? null : canonicalJson(keys) };
}

/** Twice is once. */
export async function forgetRemoteDevices(
  { db }: Pick<ReceiveDeviceChangesDeps, 'db'>,
  { userIds }: z.infer<typeof userapi.forgetRemoteDevices.input>,
): Promise<Record<string, never>> {
  await transact(db, (trx) => forgetRemoteLists(trx, userIds));
  return {};
}
