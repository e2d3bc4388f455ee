import type { CallBus } from '@seneschal/bus';
import { userapi } from '@seneschal/contracts';
import { type JsonObject, serverNameOf } from '@seneschal/matrix';
import { z } from 'zod';

export interface ReceiveToDeviceDeps {
  bus: CallBus;
}

const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
/** Server-server API, `m.direct_to_device`. */
const directToDevice = z.object({
  sender: z.string().max(255),
  type: z.string().min(1).max(255),
  message_id: z.string().min(1).max(255),
  messages: z.record(z.string(), z.record(z.string(), jsonObject)),
});

/** Takes messages to devices of users of this server, in order. They are stored, or this throws. */
export async function receiveToDevice(
  { bus }: ReceiveToDeviceDeps,
  origin: string,
  contents: readonly JsonObject[],
): Promise<void> {
  const messages = contents.flatMap((content) => {
    const { data } = directToDevice.safeParse(content);
    if (data === undefined || serverNameOf(data.sender) !== origin) return [];
    const { message_id: messageId, ...message } = data;
    return [{ ...message, messageId }];
  });
  if (messages.length > 0) await bus.call(userapi.receiveToDevice, { serverName: origin, messages });
}
