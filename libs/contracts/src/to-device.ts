import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

const byDevice = z.record(z.string(), z.record(z.string(), jsonObject));

/**
 * Sends a message to devices, by user and device; `*` stands for all other devices of the user. Devices that do not
 * exist get none; those of other servers get theirs by way of their server. Remembered, so that a client's transaction has its effect once.
 */
export const sendToDevice = command('userapi', 'sendToDevice', {
  input: z.object({
    sender: z.string(),
    type: z.string(),
    messages: byDevice,
  }),
  output: z.object({}),
});

/**
 * Messages of another server to devices of users of this one. One that was received before, by its ID, has no effect.
 * That the senders are of that server has been checked by the caller.
 */
export const receiveToDevice = command('userapi', 'receiveToDevice', {
  input: z.object({
    serverName: z.string(),
    messages: z.array(
      z.object({ messageId: z.string(), sender: z.string(), type: z.string(), messages: byDevice }),
    ),
  }),
  output: z.object({}),
});

/** Messages to other servers, up to a position of `userapi_output`, are in the hands of the caller. */
export const forgetOutgoingToDevice = command('userapi', 'forgetOutgoingToDevice', {
  input: z.object({ upTo: z.number() }),
  output: z.object({}),
});

/** Messages of one user to devices of one other server. */
export interface OutgoingToDevice {
  serverName: string;
  messageId: string;
  sender: string;
  type: string;
  messages: JsonObject;
}

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
