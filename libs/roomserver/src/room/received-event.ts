import { canonicalJson, eventIdOf, type JsonObject, type Pdu, type RoomVersion } from '@seneschal/matrix';

import type { ReceivedEvent } from './room-event.ts';

/** An event as it is stored: without what its server told of it beside the event, under the ID that it has. */
export function asReceived(given: JsonObject, version: RoomVersion): ReceivedEvent {
  const { unsigned: _, ...kept } = given;
  const pdu = kept as unknown as Pdu;
  const json = canonicalJson(kept, { anyNumber: !version.strictCanonicalJson });
  return { eventId: eventIdOf(pdu, version), pdu, json };
}
