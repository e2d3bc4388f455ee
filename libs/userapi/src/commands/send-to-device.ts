import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { isJsonObject, type JsonObject, own, serverNameOf } from '@seneschal/matrix';

import { appendFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';
import { insertOutgoing, removeOutgoing } from '../storage/to-device-servers.ts';
import { type DeviceRef, holdDevices, insertMessages, removeMessages } from '../storage/to-device.ts';
import { outgoingOf } from '../to-device/outgoing.ts';

type Input = z.infer<typeof userapi.sendToDevice.input>;
type Acknowledge = z.infer<typeof userapi.acknowledgeToDevice.input>;

export interface SendToDeviceDeps {
  db: UserapiDb;
  bus: WakeBus;
  /** This server. */
  serverName: string;
}

/**
 * Puts a message into the box of each device (client-server API, "Send-to-Device messaging"); what is for devices of
 * other servers waits for the federation component.
 */
export async function sendToDevice(
  deps: SendToDeviceDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Record<string, never>> {
  const isLocal = ([userId]: [string, unknown]): boolean => serverNameOf(userId) === deps.serverName;
  const all = Object.entries(input.messages);
  const position = await transact(deps.db, async (trx) => {
    const local = Object.fromEntries(all.filter(isLocal));
    const devices = await holdDevices(trx, Object.keys(local));
    await context.remember(trx, {});
    const here = await deliver(trx, { ...input, messages: local }, devices);
    const outgoing = outgoingOf({ ...input, messages: all.filter((one) => !isLocal(one)) });
    if (outgoing.length === 0) return here;
    const there = await appendFacts(trx, [{ kind: 'to_device_queued' }]);
    await insertOutgoing(trx, there, outgoing);
    return there;
  });
  wakeConsumers(deps.bus, position);
  return {};
}

/** Answers the position of the fact; 0 when there is no such device. */
async function deliver(
  trx: UserapiTransaction,
  { sender, type, messages }: Input,
  devices: readonly DeviceRef[],
): Promise<number> {
  const found = devices.flatMap((device) => {
    const content = messageTo(device, messages);
    return content === undefined ? [] : [{ ...device, sender, type, content }];
  });
  if (found.length === 0) return 0;
  const userIds = [...new Set(found.map(({ userId }) => userId))];
  const position = await appendFacts(trx, [{ kind: 'to_device_sent', userIds }]);
  await insertMessages(
    trx,
    found.map((message) => ({ ...message, position })),
  );
  return position;
}

/** What a device is sent: the message that names it, else the one for all others. */
export function messageTo(device: DeviceRef, messages: Input['messages']): JsonObject | undefined {
  const ofUser = own(messages, device.userId);
  const content = own(ofUser, device.deviceId) ?? own(ofUser, '*');
  return isJsonObject(content) ? content : undefined;
}

/** Deletes what a device has got. Twice is once. */
export async function acknowledgeToDevice(
  deps: Pick<SendToDeviceDeps, 'db'>,
  { upTo, ...device }: Acknowledge,
): Promise<Record<string, never>> {
  await removeMessages(deps.db, device, upTo);
  return {};
}

/** Deletes what has been taken over. Twice is once. */
export async function forgetOutgoingToDevice(
  deps: Pick<SendToDeviceDeps, 'db'>,
  { upTo }: z.infer<typeof userapi.forgetOutgoingToDevice.input>,
): Promise<Record<string, never>> {
  await removeOutgoing(deps.db, upTo);
  return {};
}
