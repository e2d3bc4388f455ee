import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { receiveDeviceLists, type ReceiveDeviceListsDeps } from './receive-device-lists.ts';
import { receiveToDevice } from './receive-to-device.ts';

export type ReceiveEdusDeps = ReceiveDeviceListsDeps;

const edu = z.object({
  edu_type: z.string(),
  content: z.custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
});

interface Sorted {
  deviceLists: { type: string; content: JsonObject }[];
  toDevice: JsonObject[];
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
  const { deviceLists, toDevice } = sort(given);
  // Devices first: a message may come from one that is new.
  if (deviceLists.length > 0) await receiveDeviceLists(deps, origin, deviceLists);
  if (toDevice.length > 0) await receiveToDevice(deps, origin, toDevice);
}

function sort(given: readonly JsonObject[]): Sorted {
  const sorted: Sorted = { deviceLists: [], toDevice: [] };
  for (const one of given) {
    const { data } = edu.safeParse(one);
    if (data === undefined) continue;
    const { edu_type: type, content } = data;
    if (type === 'm.device_list_update' || type === 'm.signing_key_update')
      sorted.deviceLists.push({ type, content });
    if (type === 'm.direct_to_device') sorted.toDevice.push(content);
  }
  return sorted;
}
