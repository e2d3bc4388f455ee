import { eventIdOf, referencedId, type Pdu } from '../events.ts';
import { own, ownString } from '../json-types.ts';
import { LEVEL_DEFAULTS, roomCreators, type LevelName } from '../power-levels.ts';
import type { RoomVersion } from '../room-versions.ts';
import { checkThirdPartyInvite } from './third-party-invite.ts';
import { levelOf, membershipOf, powerLevelsOf, demand, type RuleContext } from './types.ts';

const RULES = new Map<string, (context: RuleContext, target: string) => void>([
  ['join', checkJoin],
  ['invite', checkInvite],
  ['leave', checkLeave],
  ['ban', checkBan],
  ['knock', checkKnock],
]);

/** Rule 5 of versions 1 to 5 and 12, rule 4 of versions 6 to 11: `m.room.member`. Returns when the event is allowed. */
export function checkMembership(context: RuleContext): void {
  const { pdu, version, options } = context;
  const target = pdu.state_key;
  const membership = own(pdu.content, 'membership');
  demand(target !== undefined, 'A membership event needs a state_key');
  demand(typeof membership === 'string', 'A membership event needs a membership');
  if (version.restrictedJoins && own(pdu.content, 'join_authorised_via_users_server') !== undefined) {
    demand(
      options.joinAuthorisedSignatureValid === true,
      'The event is not signed by the server of join_authorised_via_users_server',
    );
  }
  const check = RULES.get(membership);
  demand(check !== undefined, 'The membership is unknown');
  check(context, target);
}

function checkJoin(context: RuleContext, target: string): void {
  if (isCreatorsFirstJoin(context, target)) return;
  demand(context.pdu.sender === target, 'Nobody can join for somebody else');
  const current = membershipOf(context, target);
  demand(current !== 'ban', 'The user is banned from the room');
  const rule = joinRule(context);
  if (rule === 'public') return;
  const isIn = current === 'join' || current === 'invite';
  if (rule === 'restricted' || rule === 'knock_restricted') {
    if (!isIn) checkJoinAuthoriser(context);
    return;
  }
  demand(rule !== undefined, 'The join rule of the room lets nobody join');
  demand(isIn, 'The user is not invited to the room');
}

/** The join directly after the create event, before there are any join rules. */
function isCreatorsFirstJoin({ pdu, create, version }: RuleContext, target: string): boolean {
  const [parent] = pdu.prev_events;
  if (parent === undefined || pdu.prev_events.length !== 1) return false;
  const creator = version.implicitRoomCreator ? create.sender : roomCreators(create, version)[0];
  return creator === target && referencedId(parent) === createEventId(create, version);
}

function checkJoinAuthoriser(context: RuleContext): void {
  const authoriser = ownString(context.pdu.content, 'join_authorised_via_users_server');
  demand(authoriser !== undefined, 'The join needs an invitation or a member who vouches for it');
  demand(membershipOf(context, authoriser) === 'join', 'The member who vouches for the join is not joined');
  demand(
    levelOf(context, authoriser) >= actionLevel(context, 'invite'),
    'The member who vouches for the join may not invite',
  );
}

function checkInvite(context: RuleContext, target: string): void {
  const { pdu } = context;
  const current = membershipOf(context, target);
  if (own(pdu.content, 'third_party_invite') !== undefined) {
    demand(current !== 'ban', 'The invited user is banned from the room');
    checkThirdPartyInvite(context, target);
    return;
  }
  demand(membershipOf(context, pdu.sender) === 'join', 'The sender is not joined to the room');
  demand(current !== 'join', 'The invited user is already in the room');
  demand(current !== 'ban', 'The invited user is banned from the room');
  demand(
    levelOf(context, pdu.sender) >= actionLevel(context, 'invite'),
    'The sender lacks the power level to invite',
  );
}

function checkLeave(context: RuleContext, target: string): void {
  const { pdu, version } = context;
  const current = membershipOf(context, target);
  if (pdu.sender === target) {
    const mayLeave = current === 'invite' || current === 'join' || (version.knocking && current === 'knock');
    demand(mayLeave, 'The user is not in the room');
    return;
  }
  demand(membershipOf(context, pdu.sender) === 'join', 'The sender is not joined to the room');
  const level = levelOf(context, pdu.sender);
  if (current === 'ban') {
    demand(level >= actionLevel(context, 'ban'), 'The sender lacks the power level to unban');
  }
  demand(level >= actionLevel(context, 'kick'), 'The sender lacks the power level to kick');
  demand(levelOf(context, target) < level, 'The target has the same power level or more');
}

function checkBan(context: RuleContext, target: string): void {
  const { sender } = context.pdu;
  demand(membershipOf(context, sender) === 'join', 'The sender is not joined to the room');
  const level = levelOf(context, sender);
  demand(level >= actionLevel(context, 'ban'), 'The sender lacks the power level to ban');
  demand(levelOf(context, target) < level, 'The target has the same power level or more');
}

function checkKnock(context: RuleContext, target: string): void {
  const { pdu, version } = context;
  demand(version.knocking, 'The room version does not know knocking');
  const rule = joinRule(context);
  demand(
    rule === 'knock' || rule === 'knock_restricted',
    'The join rule of the room does not allow knocking',
  );
  demand(pdu.sender === target, 'Nobody can knock for somebody else');
  const current = membershipOf(context, target);
  demand(current !== 'ban', 'The user is banned from the room');
  demand(current !== 'invite' && current !== 'join', 'The user is already invited or joined');
}

/** The join rule in force, undefined when the version does not know it; a room without the event is invite-only. */
function joinRule(
  context: RuleContext,
): 'public' | 'invite' | 'knock' | 'restricted' | 'knock_restricted' | undefined {
  const event = context.state.get('m.room.join_rules', '');
  const { version } = context;
  const rule = event === undefined ? 'invite' : own(event.content, 'join_rule');
  switch (rule) {
    case 'public':
    case 'invite':
      return rule;
    case 'knock':
      return version.knocking ? rule : undefined;
    case 'restricted':
      return version.restrictedJoins ? rule : undefined;
    case 'knock_restricted':
      return version.knockRestricted ? rule : undefined;
    default:
      return undefined;
  }
}

function actionLevel(context: RuleContext, action: LevelName): number {
  return powerLevelsOf(context)?.[action] ?? LEVEL_DEFAULTS[action];
}

const createIds = new WeakMap<Pdu, string>();

/** The create event's ID, computed once for each create event object. */
export function createEventId(create: Pdu, version: RoomVersion): string {
  let eventId = createIds.get(create);
  if (eventId === undefined) {
    eventId = eventIdOf(create, version);
    createIds.set(create, eventId);
  }
  return eventId;
}
