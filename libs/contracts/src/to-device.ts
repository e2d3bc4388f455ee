import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/**
 * Sends a message to devices of users of this server, by user and device; `*` stands for all other devices of the
 * user. Devices that do not exist get none. Remembered, so that a client's transaction has its effect once.
 */
export const sendToDevice = command('userapi', 'sendToDevice', {
  input: z.object({
    sender: z.string(),
    type: z.string(),
    messages: z.record(z.string(), z.record(z.string(), jsonObject)),
  }),
  output: z.object({}),
});

/** A device came back with the token of a sync: it has all messages up to a position, which are deleted. */
export const acknowledgeToDevice = command('userapi', 'acknowledgeToDevice', {
  input: z.object({ userId: z.string(), deviceId: z.string(), upTo: z.number() }),
  output: z.object({}),
});

/** A message to a device; the position is that of `userapi_output`. */
export interface ToDeviceMessage {
  position: number;
  sender: string;
  type: string;
  content: JsonObject;
}
