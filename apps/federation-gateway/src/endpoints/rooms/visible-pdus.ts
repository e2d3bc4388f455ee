import { type JsonObject, type Pdu, redact, roomVersion } from '@seneschal/matrix';

import type { RoomReads } from './shapes.ts';

/** Events as a server may see them: redacted where the history is not visible to it. */
export async function visiblePdus(
  roomserver: Pick<RoomReads, 'visibleToServer'>,
  room: { roomId: string; roomVersion: string; origin: string },
  pdus: ReadonlyMap<string, JsonObject>,
): Promise<JsonObject[]> {
  const visible = await roomserver.visibleToServer(room.roomId, room.origin, [...pdus.keys()]);
  const version = roomVersion(room.roomVersion);
  return [...pdus].map(([eventId, pdu]) =>
    visible.has(eventId) ? pdu : (redact(pdu as unknown as Pdu, version) as unknown as JsonObject),
  );
}
