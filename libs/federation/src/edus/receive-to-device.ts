import type { CallBus } from '@seneschal/bus';
import { userapi } from '@seneschal/contracts';
import { type JsonObject, serverNameOf } from '@seneschal/matrix';
import { z } from 'zod';

import { jsonObject, text, userOf } from './shapes.ts';

export interface ReceiveToDeviceDeps {
  bus: CallBus;
  /** This server. */
  serverName: string;
}

/** Takes messages to devices of users of this server, in order. They are stored, or this throws. */
export async function receiveToDevice(
  { bus, serverName }: ReceiveToDeviceDeps,
  origin: string,
  contents: readonly JsonObject[],
): Promise<void> {
  const schema = directToDevice(origin);
  const isLocal = ([userId]: [string, unknown]): boolean =>
    serverNameOf(userId) === serverName && text.safeParse(userId).success;
  const messages = contents.flatMap((content) => {
    const { data } = schema.safeParse(content);
    if (data === undefined) return [];
    const { message_id: messageId, messages: all, ...sent } = data;
    return [{ ...sent, messageId, messages: Object.fromEntries(Object.entries(all).filter(isLocal)) }];
  });
  if (messages.length > 0) await bus.call(userapi.receiveToDevice, { serverName: origin, messages });
}

/** Server-server API, `m.direct_to_device`. */
function directToDevice(origin: string) {
  return z.object({
    sender: userOf(origin),
    type: text,
    message_id: text,
    messages: z.record(z.string(), z.record(z.string(), jsonObject)),
  });
}
