import type { BundledRelations, StoredEvent } from '@seneschal/contracts';
import { isJsonObject, type JsonObject, toClientEvent } from '@seneschal/matrix';

/** A stored event as a client is told of it. `now` in ms since 1970 makes its age. */
export function clientEvent(event: StoredEvent, now: number): JsonObject {
  const { redactedBecause, bundled } = event;
  const shown = toClientEvent(event.pdu, event.eventId, event.roomId, {
    age: Math.max(0, now - event.pdu.origin_server_ts),
    transactionId: event.transactionId,
    redactedBecause:
      redactedBecause === undefined
        ? undefined
        : toClientEvent(redactedBecause.pdu, redactedBecause.eventId, event.roomId),
    prevContent: event.previousContent,
    replacesState: event.previousEventId,
  });
  if (bundled === undefined) return shown;
  const unsigned = shown['unsigned'];
  const relations = relationsOf(bundled, now);
  return { ...shown, unsigned: { ...(isJsonObject(unsigned) ? unsigned : {}), 'm.relations': relations } };
}

/** Client-server API, "Aggregations of child events". */
function relationsOf({ replacement, thread, references }: BundledRelations, now: number): JsonObject {
  return {
    ...(replacement === undefined ? {} : { 'm.replace': clientEvent(replacement, now) }),
    ...(thread === undefined
      ? {}
      : {
          'm.thread': {
            latest_event: clientEvent(thread.latest, now),
            count: thread.count,
            current_user_participated: thread.hasTakenPart,
          },
        }),
    ...(references === undefined
      ? {}
      : { 'm.reference': { chunk: references.map((eventId) => ({ event_id: eventId })) } }),
  };
}

export function clientEvents(events: readonly StoredEvent[]): JsonObject[] {
  const now = Date.now();
  return events.map((event) => clientEvent(event, now));
}

/** In a sync the room is told by the place where the event stands. */
export function syncEvents(events: readonly StoredEvent[]): JsonObject[] {
  return clientEvents(events).map(({ room_id: _, ...event }) => event);
}
