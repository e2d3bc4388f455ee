import type { Pdu } from '../events.ts';
import { isUserId, serverNameOf } from '../identifiers.ts';
import { isJsonObject, own, ownString } from '../json-types.ts';
import { LEVEL_DEFAULTS, requiredPowerLevel } from '../power-levels.ts';
import type { RoomVersion } from '../room-versions.ts';
import { checkCreate } from './create-rule.ts';
import { checkMembership, createEventId } from './membership.ts';
import { checkPowerLevels } from './power-level-rule.ts';
import {
  levelOf,
  membershipOf,
  powerLevelsOf,
  demand,
  type AuthoriseOptions,
  type AuthState,
  type RuleContext,
} from './types.ts';

export { checkAuthEvents, type AuthEvent } from './auth-events.ts';
export { authTypes, type AuthSubject } from './select.ts';
export type { AuthoriseOptions, AuthState } from './types.ts';

/**
 * The authorisation rules of all room versions against a state; returns when the event is allowed and throws
 * M_FORBIDDEN with the reason when not. The rules on the list of `auth_events` are in `checkAuthEvents`, signatures
 * and hashes in `verifyEvent` and `checkContentHash`. Work does not depend on the number of members.
 */
export function authorise(
  pdu: Pdu,
  roomId: string,
  state: AuthState,
  version: RoomVersion,
  options: AuthoriseOptions = {},
): void {
  checkShape(pdu);
  if (pdu.type === 'm.room.create') {
    checkCreate(pdu, roomId, version);
    return;
  }
  demand(pdu.room_id === roomId, 'The event is for another room');
  const create = state.get('m.room.create', '');
  demand(create !== undefined, 'The room has no create event');
  checkRoomId(create, roomId, version);
  const context: RuleContext = { pdu, roomId, state, create, version, options };
  if (own(create.content, 'm.federate') === false) {
    const isLocal = serverNameOf(pdu.sender) === serverNameOf(create.sender);
    demand(isLocal, 'The room does not federate');
  }
  if (pdu.type === 'm.room.aliases' && version.aliasesRule) {
    demand(
      pdu.state_key !== undefined && pdu.state_key === serverNameOf(pdu.sender),
      "The state_key of the aliases is not the sender's server name",
    );
  } else if (pdu.type === 'm.room.member') {
    checkMembership(context);
  } else {
    checkOtherTypes(context);
  }
}

/** The rules from "If the sender's current membership state is not join" on. */
function checkOtherTypes(context: RuleContext): void {
  const { pdu } = context;
  demand(membershipOf(context, pdu.sender) === 'join', 'The sender is not joined to the room');
  const levels = powerLevelsOf(context);
  const level = levelOf(context, pdu.sender);
  if (pdu.type === 'm.room.third_party_invite') {
    const needed = levels?.invite ?? LEVEL_DEFAULTS.invite;
    demand(level >= needed, 'The sender lacks the power level to invite');
    return;
  }
  const required = requiredPowerLevel(pdu.type, pdu.state_key !== undefined, levels);
  demand(level >= required, `The sender lacks the power level to send ${pdu.type}: ${level} < ${required}`);
  demand(
    pdu.state_key?.startsWith('@') !== true || pdu.state_key === pdu.sender,
    'Only the user itself may set state under its user ID',
  );
  if (pdu.type === 'm.room.power_levels') checkPowerLevels(context);
  if (pdu.type === 'm.room.redaction' && context.version.redactionAuthRule) checkRedaction(context);
}

/** Rule 11 of versions 1 and 2; later versions judge a redaction when it is applied. */
function checkRedaction(context: RuleContext): void {
  const { pdu } = context;
  const needed = powerLevelsOf(context)?.redact ?? LEVEL_DEFAULTS.redact;
  if (levelOf(context, pdu.sender) >= needed) return;
  const ownServer = serverNameOf(ownString(pdu, 'event_id') ?? '');
  const targetServer = serverNameOf(ownString(pdu, 'redacts') ?? '');
  demand(
    ownServer !== undefined && ownServer === targetServer,
    "The sender lacks the power level to redact other servers' events",
  );
}

/** From version 12 the room ID is the ID of its create event. */
function checkRoomId(create: Pdu, roomId: string, version: RoomVersion): void {
  if (!version.roomIdIsCreateHash) return;
  demand(
    createEventId(create, version).slice(1) === roomId.slice(1),
    'The room ID is not the ID of the create event',
  );
}

/** What the rules rely on, for events that come from elsewhere and only claim to be of this type. */
function checkShape(pdu: Pdu): void {
  demand(isJsonObject(pdu.content), 'The event has no content');
  demand(typeof pdu.type === 'string', 'The event has no type');
  demand(typeof pdu.sender === 'string' && isUserId(pdu.sender), 'The sender is not a user ID');
  demand(Array.isArray(pdu.prev_events), 'The event has no prev_events');
  demand(pdu.state_key === undefined || typeof pdu.state_key === 'string', 'The state_key is not a string');
}
