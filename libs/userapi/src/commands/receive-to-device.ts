import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import { userapi } from '@seneschal/contracts';
import { allotPositions, insertFacts, transact } from '@seneschal/database';
import { serverNameOf } from '@seneschal/matrix';

import { wakeConsumers } from '../storage/output.ts';
import type { UserapiDb, UserapiTransaction } from '../storage/tables.ts';
import { markReceived } from '../storage/to-device-servers.ts';
import { type DeviceRef, holdDevices, insertMessages, type NewMessage } from '../storage/to-device.ts';
import { messageTo } from './send-to-device.ts';

type Input = z.infer<typeof userapi.receiveToDevice.input>;
type Message = Input['messages'][number];

export interface ReceiveToDeviceDeps {
  db: UserapiDb;
  bus: WakeBus;
  /** This server. */
  serverName: string;
}

/** Puts messages of another server into the boxes of devices, in order, each once (server-server API, "Send-to-device messaging"). */
export async function receiveToDevice(
  deps: ReceiveToDeviceDeps,
  input: Input,
): Promise<Record<string, never>> {
  const position = await transact(deps.db, async (trx) => {
    const ids = input.messages.map(({ messageId }) => messageId);
    const isNew = await markReceived(trx, input.serverName, ids);
    // Of two with the same ID the first one counts.
    const fresh = input.messages.filter(({ messageId }) => isNew.delete(messageId));
    const users = new Set(fresh.flatMap(({ messages }) => Object.keys(messages)));
    const local = [...users].filter((userId) => serverNameOf(userId) === deps.serverName);
    const devices = local.length === 0 ? [] : await holdDevices(trx, local.sort());
    return store(trx, fresh, devices);
  });
  wakeConsumers(deps.bus, position);
  return {};
}

/** A device gets one message at each position, and each position has its fact. */
async function store(
  trx: UserapiTransaction,
  fresh: readonly Message[],
  devices: readonly DeviceRef[],
): Promise<number> {
  const deliveries = fresh
    .map(({ sender, type, messages }) =>
      devices.flatMap((device): Omit<NewMessage, 'position'>[] => {
        const content = messageTo(device, messages);
        return content === undefined ? [] : [{ ...device, sender, type, content }];
      }),
    )
    .filter((delivery) => delivery.length > 0);
  if (deliveries.length === 0) return 0;
  const { table } = userapi.userapiOutput;
  const positions = await allotPositions(trx, table, deliveries.length);
  const facts = deliveries.map((delivery) => ({
    kind: 'to_device_sent',
    userIds: [...new Set(delivery.map(({ userId }) => userId))],
  }));
  await insertFacts(trx, table, positions, facts);
  const placed = deliveries.flatMap((delivery, index) =>
    delivery.map((message) => ({ ...message, position: positions[index] ?? 0 })),
  );
  await insertMessages(trx, placed);
  return positions.at(-1) ?? 0;
}
