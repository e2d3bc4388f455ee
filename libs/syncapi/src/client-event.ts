import type { StoredEvent } from '@seneschal/contracts';
import { type JsonObject, toClientEvent } from '@seneschal/matrix';

/** A stored event as a client is told of it. `now` in ms since 1970 makes its age. */
export function clientEvent(event: StoredEvent, now: number): JsonObject {
  const { redactedBecause } = event;
  return toClientEvent(event.pdu, event.eventId, event.roomId, {
    age: Math.max(0, now - event.pdu.origin_server_ts),
    transactionId: event.transactionId,
    redactedBecause:
      redactedBecause === undefined
        ? undefined
        : toClientEvent(redactedBecause.pdu, redactedBecause.eventId, event.roomId),
    prevContent: event.previousContent,
    replacesState: event.previousEventId,
  });
}

export function clientEvents(events: readonly StoredEvent[]): JsonObject[] {
  const now = Date.now();
  return events.map((event) => clientEvent(event, now));
}

/** In a sync the room is told by the place where the event stands. */
export function syncEvents(events: readonly StoredEvent[]): JsonObject[] {
  return clientEvents(events).map(({ room_id: _, ...event }) => event);
}
