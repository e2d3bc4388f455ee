import { randomBytes } from 'node:crypto';

import type { OutgoingToDevice } from '@seneschal/contracts';
import { type JsonObject, serverNameOf } from '@seneschal/matrix';

/** Of messages in one EDU, in bytes: what servers take at the least; one that is larger goes alone. */
const mostBytes = 60_000;

interface Sent {
  sender: string;
  type: string;
  /** By user; by device. */
  messages: readonly [string, Record<string, JsonObject>][];
}

/** Messages to users of other servers, by server, in parts that fit into an EDU each, with an ID of its own. */
export function outgoingOf({ sender, type, messages }: Sent): OutgoingToDevice[] {
  const servers = new Map<string, Part[]>();
  for (const [userId, devices] of messages) {
    const serverName = serverNameOf(userId);
    if (serverName === undefined) continue;
    const parts = servers.get(serverName) ?? [];
    servers.set(serverName, parts);
    for (const [deviceId, content] of Object.entries(devices)) add(parts, userId, deviceId, content);
  }
  return [...servers].flatMap(([serverName, parts]) =>
    parts.map((part) => {
      const messageId = randomBytes(16).toString('base64url');
      return { serverName, messageId, sender, type, messages: part.messages };
    }),
  );
}

interface Part {
  messages: Record<string, Record<string, JsonObject>>;
  bytes: number;
}

function add(parts: Part[], userId: string, deviceId: string, content: JsonObject): void {
  const bytes = Buffer.byteLength(JSON.stringify(content)) + userId.length + deviceId.length;
  let part = parts.at(-1);
  if (part === undefined || part.bytes + bytes > mostBytes) {
    part = { messages: {}, bytes: 0 };
    parts.push(part);
  }
  (part.messages[userId] ??= {})[deviceId] = content;
  part.bytes += bytes;
}
