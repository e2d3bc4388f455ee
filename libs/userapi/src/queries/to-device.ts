import type { OutgoingToDevice, ToDeviceMessage } from '@seneschal/contracts';

import { type DeviceRef, selectMessages } from '../storage/to-device.ts';
import { selectOutgoing } from '../storage/to-device-servers.ts';
import type { UserapiDb } from '../storage/tables.ts';

/** The first `limit` messages to a device after a position; `upTo` is where the client may go on from. */
export async function toDevice(
  db: UserapiDb,
  device: DeviceRef,
  range: { after: number; upTo: number; limit: number },
): Promise<{ messages: ToDeviceMessage[]; upTo: number }> {
  const found = await selectMessages(db, device, { ...range, limit: range.limit + 1 });
  const messages = found.slice(0, range.limit);
  const isCut = found.length > messages.length;
  return { messages, upTo: isCut ? (messages.at(-1)?.position ?? range.after) : range.upTo };
}

/** Messages to devices of other servers that wait at positions of `userapi_output`. */
export async function outgoingToDevice(
  db: UserapiDb,
  positions: readonly number[],
): Promise<OutgoingToDevice[]> {
  return positions.length === 0 ? [] : selectOutgoing(db, positions);
}
