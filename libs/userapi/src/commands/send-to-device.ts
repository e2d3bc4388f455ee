import type { z } from 'zod';

import type { CommandContext, WakeBus } from '@seneschal/bus';
import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { isJsonObject, own } from '@seneschal/matrix';

import { appendFacts, wakeConsumers } from '../storage/output.ts';
import type { UserapiDb } from '../storage/tables.ts';
import {
  type DeviceRef,
  holdDevices,
  insertMessages,
  type NewMessage,
  removeMessages,
} from '../storage/to-device.ts';

type Input = z.infer<typeof userapi.sendToDevice.input>;
type Acknowledge = z.infer<typeof userapi.acknowledgeToDevice.input>;

export interface SendToDeviceDeps {
  db: UserapiDb;
  bus: WakeBus;
}

/** Puts a message into the box of each device (client-server API, "Send-to-Device messaging"). */
export async function sendToDevice(
  deps: SendToDeviceDeps,
  input: Input,
  context: Pick<CommandContext, 'remember'>,
): Promise<Record<string, never>> {
  const { sender, type } = input;
  const position = await transact(deps.db, async (trx) => {
    const devices = await holdDevices(trx, Object.keys(input.messages));
    const messages = devices.flatMap((device) => messageTo(device, input.messages));
    await context.remember(trx, {});
    if (messages.length === 0) return 0;
    const userIds = [...new Set(messages.map(({ userId }) => userId))];
    const position = await appendFacts(trx, [{ kind: 'to_device_sent', userIds }]);
    await insertMessages(trx, { sender, type, position }, messages);
    return position;
  });
  wakeConsumers(deps.bus, position);
  return {};
}

function messageTo(device: DeviceRef, messages: Input['messages']): NewMessage[] {
  const ofUser = messages[device.userId];
  const content = own(ofUser, device.deviceId) ?? own(ofUser, '*');
  return isJsonObject(content) ? [{ ...device, content }] : [];
}

/** Deletes what a device has got. Twice is once. */
export async function acknowledgeToDevice(
  deps: Pick<SendToDeviceDeps, 'db'>,
  { upTo, ...device }: Acknowledge,
): Promise<Record<string, never>> {
  await removeMessages(deps.db, device, upTo);
  return {};
}
