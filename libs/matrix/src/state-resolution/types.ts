import type { Pdu } from '../events.ts';
import type { RoomVersion } from '../room-versions.ts';

/** A room's state: event IDs by `stateMapKey`. */
export type StateMap = ReadonlyMap<string, string>;

/** An event as the resolution needs it. Soft-failed events and outliers are events like any other here. */
export interface ResolutionEvent {
  readonly eventId: string;
  readonly pdu: Pdu;
  /** Rejected when it was received: it never stands in for state that is missing. */
  readonly isRejected?: boolean;
}

/** The one source of events. Undefined for an event that the server does not have: it counts as not there. */
export type EventSource = (eventId: string) => ResolutionEvent | undefined;

export interface ResolutionInput {
  readonly version: RoomVersion;
  readonly roomId: string;
  /** The states after each of the `prev_events`; their order and repetitions do not matter. */
  readonly states: readonly StateMap[];
  /**
   * Asked for the events of the states that differ and for their auth chains; also for the rest of the state and its auth
   * chains unless `authDifference` is given.
   */
  readonly eventOf: EventSource;
  /** The auth difference where the store knows it better; IDs of state events that differ may be left out. */
  readonly authDifference?: Iterable<string>;
}

/** The key of a type and state key in a state map; no two pairs share one, whatever characters they hold. */
export function stateMapKey(type: string, stateKey: string): string {
  return `${type.length}:${type}${stateKey}`;
}
