import type { Membership } from '@seneschal/contracts';
import type { Pdu } from '@seneschal/matrix';

/** An event of a room that is being written to. */
export interface RoomEvent {
  readonly eventId: string;
  readonly pdu: Pdu;
  /** Undefined until the event is stored. */
  position: number | undefined;
}

/** An event that is to be added. */
export interface NewEvent extends RoomEvent {
  readonly json: string;
  readonly replaces: RoomEvent | undefined;
  /** Position of the redaction that came before it. */
  readonly redactedBy?: number | undefined;
  /** Part of the state, but of no timeline. */
  readonly isOutlier?: boolean;
}

/** An event of another server: its signatures and its hash have been checked. */
export interface ReceivedEvent extends Pick<NewEvent, 'redactedBy'> {
  readonly eventId: string;
  readonly pdu: Pdu;
  readonly json: string;
}

/** What a user is in the room. The event is undefined when its row cannot be read. */
export interface Member {
  readonly membership: Membership;
  readonly event: RoomEvent | undefined;
}

/** The event that a redaction names, with what is left of it once it is redacted. */
export interface RedactionTarget {
  readonly event: RoomEvent;
  readonly redactedJson: string;
}
