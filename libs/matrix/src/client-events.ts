import type { Pdu } from './events.ts';
import { ownString, type JsonObject } from './json-types.ts';
import type { RoomVersion } from './room-versions.ts';

/** What a server adds under `unsigned` for one reader (client-server API, "Room event format"). */
export interface ClientEventExtra {
  /** Milliseconds since the event was sent. */
  readonly age?: number | undefined;
  /** Only for the device that sent the event. */
  readonly transactionId?: string | undefined;
  /** The redaction, in client format. */
  readonly redactedBecause?: JsonObject | undefined;
  /** Content of the state event that this one replaced, where the reader may see it. */
  readonly prevContent?: JsonObject | undefined;
  /** ID of the state event that this one replaced. */
  readonly replacesState?: string | undefined;
  /** The reader's own membership at the event. */
  readonly membership?: string | undefined;
  /** Says where a redaction names its target; without it, content is believed before the top level. */
  readonly version?: RoomVersion | undefined;
}

/**
 * An event in client format. Nothing of the PDU's own `unsigned` is passed on, as the sending server may write there
 * what it likes. A redaction's target is shown both in content and at the top level, whatever the room version.
 */
export function toClientEvent(
  pdu: Pdu,
  eventId: string,
  roomId: string,
  extra: ClientEventExtra = {},
): JsonObject {
  const event: JsonObject = {
    type: pdu.type,
    event_id: eventId,
    room_id: roomId,
    sender: pdu.sender,
    origin_server_ts: pdu.origin_server_ts,
    content: pdu.content,
  };
  if (pdu.state_key !== undefined) event['state_key'] = pdu.state_key;
  if (pdu.type === 'm.room.redaction') {
    const redacts = redactionTarget(pdu, extra.version);
    if (redacts !== undefined) {
      event['redacts'] = redacts;
      event['content'] = { ...pdu.content, redacts };
    }
  }
  const unsigned = toUnsigned(extra);
  if (Object.keys(unsigned).length > 0) event['unsigned'] = unsigned;
  return event;
}

/** The event ID that a redaction names: in content from room version 11, at the top level before. */
export function redactionTarget(pdu: Pdu, version?: RoomVersion): string | undefined {
  const inContent = ownString(pdu.content, 'redacts');
  if (version === undefined) return inContent ?? ownString(pdu, 'redacts');
  return version.redactsInContent ? inContent : ownString(pdu, 'redacts');
}

/** Stripped state (client-server API, "Stripped state"): type, state_key, sender and content only. */
export function toStrippedState(pdu: Pdu): JsonObject {
  return { type: pdu.type, state_key: pdu.state_key ?? '', sender: pdu.sender, content: pdu.content };
}

function toUnsigned(extra: ClientEventExtra): JsonObject {
  const unsigned: JsonObject = {};
  if (extra.age !== undefined) unsigned['age'] = extra.age;
  if (extra.transactionId !== undefined) unsigned['transaction_id'] = extra.transactionId;
  if (extra.redactedBecause !== undefined) unsigned['redacted_because'] = extra.redactedBecause;
  if (extra.prevContent !== undefined) unsigned['prev_content'] = extra.prevContent;
  if (extra.replacesState !== undefined) unsigned['replaces_state'] = extra.replacesState;
  if (extra.membership !== undefined) unsigned['membership'] = extra.membership;
  return unsigned;
}
