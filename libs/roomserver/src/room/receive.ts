import {
  authorise,
  type AuthEvent,
  type AuthState,
  canonicalJson,
  checkAuthEvents,
  isMatrixError,
  ownString,
  parsePowerLevels,
  type Pdu,
  redact,
  redactionTarget,
  referencedId,
  type RoomVersion,
  serverNameOf,
  stateMapKey,
  userPowerLevel,
} from '@seneschal/matrix';

import type { KnownEvent, StoredRedaction } from '../storage/foreign-reads.ts';
import type { HiddenKind } from '../storage/tables.ts';
import type { StateEntry } from './foreign-changes.ts';
import type { RoomDraft } from './room-draft.ts';
import type { NewEvent, ReceivedEvent } from './room-event.ts';

export type Known = ReadonlyMap<string, KnownEvent>;

/** Users whose memberships decide on an event. */
export function usersOf({ sender, type, state_key: stateKey, content }: Pdu): string[] {
  const authoriser = ownString(content, 'join_authorised_via_users_server');
  return [
    sender,
    ...(type === 'm.room.member' && stateKey !== undefined ? [stateKey] : []),
    ...(authoriser === undefined ? [] : [authoriser]),
  ];
}

/** Everything that an event names and that has to be known for it. */
export function referencesOf(pdu: Pdu, { id, version }: { id: string; version: RoomVersion }): string[] {
  const redacted = targetOf(pdu, version);
  return [
    ...pdu.prev_events.map(referencedId),
    ...pdu.auth_events.map(referencedId),
    ...(version.roomIdIsCreateHash ? [createIdOf(id)] : []),
    ...(redacted === undefined ? [] : [redacted]),
  ];
}

/** From room version 12 the room is named after its create event. */
export function createIdOf(roomId: string): string {
  return `$${roomId.slice(1)}`;
}

/** Why a state does not allow an event; undefined when it does. */
export function refusalBy(pdu: Pdu, draft: RoomDraft, state: AuthState): string | undefined {
  const { roomId, version } = draft.room;
  return reasonOf(() => authorise(pdu, roomId, state, version, { joinAuthorisedSignatureValid: true }));
}

/** Why the events that an event itself names do not allow it. */
export function refusalByAuthEvents(pdu: Pdu, draft: RoomDraft, known: Known): string | undefined {
  const { roomId, version, roomNid } = draft.room;
  const listed = pdu.auth_events.map(referencedId).map((eventId) => known.get(eventId));
  if (listed.some((event) => event?.roomNid !== roomNid)) return 'An auth event is from another room';
  const authEvents = listed.flatMap((event): AuthEvent[] =>
    event === undefined ? [] : [{ pdu: event.pdu, rejected: event.kind === 'rejected' }],
  );
  const create = version.roomIdIsCreateHash ? known.get(createIdOf(roomId)) : undefined;
  const state = new Map(authEvents.map((event) => [keyOf(event.pdu), event.pdu]));
  if (create !== undefined) state.set(keyOf(create.pdu), create.pdu);
  return (
    reasonOf(() => checkAuthEvents(pdu, roomId, authEvents, version)) ??
    refusalBy(pdu, draft, { get: (type, stateKey) => state.get(stateMapKey(type, stateKey)) })
  );
}

function keyOf({ type, state_key: stateKey }: Pdu): string {
  return stateMapKey(type, stateKey ?? '');
}

function reasonOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    return error.message;
  }
}

/** The present state, but for some entries, as the authorisation rules read it. */
export function authStateOf(
  draft: RoomDraft,
  changes: ReadonlyMap<string, StateEntry>,
  known: Known,
): AuthState {
  return {
    get: (type, stateKey) => {
      const changed = changes.get(stateMapKey(type, stateKey));
      if (changed === undefined) return draft.stateEvent(type, stateKey)?.pdu;
      return changed.eventId === null ? undefined : known.get(changed.eventId)?.pdu;
    },
  };
}

/** Keeps an event from clients. Its state is the room's present one, but for some entries. */
export function hide(
  draft: RoomDraft,
  { eventId, json }: ReceivedEvent,
  kind: HiddenKind,
  changes: ReadonlyMap<string, StateEntry>,
): void {
  draft.foreign.hidden.push({ eventId, kind, json });
  draft.foreign.states.push({ eventId, before: { base: draft.room.lastPosition, changes } });
}

/**
 * Takes the content away that a redaction names, if its sender may (room versions 3 and later: by power, or as of the
 * same server; before, the authorisation rules have judged it).
 */
export function applyRedaction(draft: RoomDraft, redaction: NewEvent, known: Known): void {
  const { version, roomNid } = draft.room;
  const target = known.get(targetOf(redaction.pdu, version) ?? '');
  if (target?.position === undefined || target.roomNid !== roomNid) return;
  if (!mayRedact(draft, redaction.pdu.sender, target.pdu)) return;
  const event = { eventId: target.eventId, pdu: target.pdu, position: target.position };
  draft.redact({ event, redactedJson: jsonOf(redact(target.pdu, version), version) }, redaction);
}

/** An event without the content that an earlier redaction has taken away, if there is one and its sender may. */
export function redactedBefore(
  draft: RoomDraft,
  event: ReceivedEvent,
  redactions: readonly StoredRedaction[],
): ReceivedEvent {
  const { version } = draft.room;
  const by = redactions.find(
    ({ pdu }) => targetOf(pdu, version) === event.eventId && mayRedact(draft, pdu.sender, event.pdu),
  );
  if (by === undefined) return event;
  const pdu = redact(event.pdu, version);
  return { eventId: event.eventId, pdu, json: jsonOf(pdu, version), redactedBy: by.position };
}

/** Whether an event of the draft, which has no position yet, redacts this one, or is redacted by it. */
export function isRedactedWithin(draft: RoomDraft, { eventId, pdu }: ReceivedEvent): boolean {
  const { version } = draft.room;
  const target = targetOf(pdu, version);
  return draft.events.some((one) => one.eventId === target || targetOf(one.pdu, version) === eventId);
}

function targetOf(pdu: Pdu, version: RoomVersion): string | undefined {
  return pdu.type === 'm.room.redaction' ? redactionTarget(pdu, version) : undefined;
}

function jsonOf(pdu: Pdu, version: RoomVersion): string {
  return canonicalJson(pdu, { anyNumber: !version.strictCanonicalJson });
}

function mayRedact(draft: RoomDraft, sender: string, target: Pdu): boolean {
  if (draft.room.version.redactionAuthRule) return true;
  if (serverNameOf(sender) === serverNameOf(target.sender)) return true;
  const content = draft.stateEvent('m.room.power_levels')?.pdu.content;
  const create = draft.stateEvent('m.room.create')?.pdu;
  if (create === undefined) return false;
  const { version } = draft.room;
  const levels = content === undefined ? undefined : parsePowerLevels(content, version);
  return userPowerLevel(sender, levels, create, version) >= (levels?.redact ?? 50);
}
