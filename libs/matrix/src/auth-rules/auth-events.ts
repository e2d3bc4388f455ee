import type { Pdu } from '../events.ts';
import type { RoomVersion } from '../room-versions.ts';
import { authTypes } from './select.ts';
import { demand } from './types.ts';

export interface AuthEvent {
  readonly pdu: Pdu;
  readonly rejected: boolean;
}

/**
 * The rules on `auth_events` themselves (rule 2 up to version 11, rule 3 of version 12), for events from elsewhere:
 * no duplicates, nothing outside the selection, nothing rejected, nothing of another room, and up to version 11 the
 * create event among them. Throws M_FORBIDDEN.
 */
export function checkAuthEvents(
  pdu: Pdu,
  roomId: string,
  authEvents: readonly AuthEvent[],
  version: RoomVersion,
): void {
  const allowed = new Set(authTypes(pdu, version).map(keyOf));
  const seen = new Set<string>();
  for (const { pdu: authEvent, rejected } of authEvents) {
    demand(authEvent.state_key !== undefined, 'An auth event is not a state event');
    const key = keyOf([authEvent.type, authEvent.state_key]);
    demand(!seen.has(key), 'Two auth events have the same type and state_key');
    demand(allowed.has(key), 'An auth event is not one that the event may have');
    demand(!rejected, 'An auth event was rejected');
    demand(authEvent.room_id === roomId, 'An auth event is from another room');
    seen.add(key);
  }
  if (pdu.type === 'm.room.create' || version.roomIdIsCreateHash) return;
  demand(seen.has(keyOf(['m.room.create', ''])), 'The create event is not among the auth events');
}

function keyOf([type, stateKey]: readonly [string, string]): string {
  return JSON.stringify([type, stateKey]);
}
