import { randomBytes } from 'node:crypto';

import type { OutgoingToDevice } from '@seneschal/contracts';
import { canonicalJson, type JsonObject, MAX_EVENT_DEPTH, serverNameOf, tooLarge } from '@seneschal/matrix';

/** Of messages in one EDU, and so of one message, in bytes: an EDU is no larger than an event. */
const mostBytes = 60_000;

interface Sent {
  sender: string;
  type: string;
  /** By user; by device. */
  messages: readonly [string, Record<string, JsonObject>][];
}

/**
 * Messages to users of other servers, by server, in parts that fit into an EDU each, with an ID of its own. What is sent
 * is signed, so it has to be canonical JSON: M_BAD_JSON for a message that is not (floats, half surrogate pairs, too
 * deep), M_TOO_LARGE for one that is larger than an EDU. Otherwise it would stand in the way of all that comes after it.
 */
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
  const text = canonicalJson({ [deviceId]: content }, { maxDepth: MAX_EVENT_DEPTH });
  const bytes = Buffer.byteLength(text) + userId.length;
  if (bytes > mostBytes)
    throw tooLarge(`A message to a device of another server has ${mostBytes} bytes at the most.`);
  let part = parts.at(-1);
  if (part === undefined || part.bytes + bytes > mostBytes) {
    part = { messages: {}, bytes: 0 };
    parts.push(part);
  }
  (part.messages[userId] ??= {})[deviceId] = content;
  part.bytes += bytes;
}
