import type { JsonObject } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';
import { z } from 'zod';

import { receiveDeviceLists, type ReceiveDeviceListsDeps } from './receive-device-lists.ts';
import { receiveReceipts, type ReceiveReceiptsDeps } from './receive-receipts.ts';
import { receiveToDevice, type ReceiveToDeviceDeps } from './receive-to-device.ts';
import { receiveTyping, type ReceiveTypingDeps } from './receive-typing.ts';

export interface ReceiveEdusDeps extends ReceiveDeviceListsDeps, ReceiveToDeviceDeps {
  roomserver: ReceiveDeviceListsDeps['roomserver'] &
    ReceiveReceiptsDeps['roomserver'] &
    ReceiveTypingDeps['roomserver'];
  logger: Pick<Logger, 'info' | 'warn'>;
}

const edu = z.object({
  edu_type: z.string(),
  content: z.custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
});

interface Sorted {
  deviceLists: { type: string; content: JsonObject }[];
  toDevice: JsonObject[];
  receipts: JsonObject[];
  typing: JsonObject[];
}

/**
 * Takes the EDUs of a transaction, each kind together. One that is malformed, or of a user of another server than the one
 * that sent it, is passed over, and harms no other; so is presence, and what is not known. Throws when something that must
 * not be lost could not be stored: then the transaction comes again.
 */
export async function receiveEdus(
  deps: ReceiveEdusDeps,
  origin: string,
  given: readonly JsonObject[],
): Promise<void> {
  const { deviceLists, toDevice, receipts, typing } = sort(given);
  // Devices first: a message may come from one that is new.
  if (deviceLists.length > 0) await receiveDeviceLists(deps, origin, deviceLists);
  if (toDevice.length > 0) await receiveToDevice(deps, origin, toDevice);
  if (receipts.length > 0) await orPassOver(deps, receiveReceipts(deps, origin, receipts));
  if (typing.length > 0) await orPassOver(deps, receiveTyping(deps, origin, typing));
}

/** What nobody misses for long is no reason to have the whole transaction again. */
async function orPassOver({ logger }: ReceiveEdusDeps, taken: Promise<void>): Promise<void> {
  await taken.catch((error: unknown) => logger.warn({ error }, 'receipts or typing could not be taken'));
}

function sort(given: readonly JsonObject[]): Sorted {
  const sorted: Sorted = { deviceLists: [], toDevice: [], receipts: [], typing: [] };
  for (const one of given) {
    const { data } = edu.safeParse(one);
    if (data === undefined) continue;
    const { edu_type: type, content } = data;
    if (type === 'm.device_list_update' || type === 'm.signing_key_update')
      sorted.deviceLists.push({ type, content });
    if (type === 'm.direct_to_device') sorted.toDevice.push(content);
    if (type === 'm.receipt') sorted.receipts.push(content);
    if (type === 'm.typing') sorted.typing.push(content);
  }
  return sorted;
}
