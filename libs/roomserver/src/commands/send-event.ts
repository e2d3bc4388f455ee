import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import {
  canonicalJson,
  forbidden,
  invalidParam,
  type JsonObject,
  MatrixError,
  notFound,
  parsePowerLevels,
  redact,
  userPowerLevel,
  userSuspended,
} from '@seneschal/matrix';

import { inviteesOf, type InvitePermissionDeps, refuseBlockedInvites } from '../room/invite-permission.ts';
import { refuseRejectedNotice } from '../room/notice-invite.ts';
import type { EventInput, RoomDraft } from '../room/room-draft.ts';
import type { RedactionTarget } from '../room/room-event.ts';
import type { RoomWork, RoomWriter } from '../room/room-writer.ts';
import { pointsElsewhere } from '../storage/aliases.ts';
import { transactionKeyOf } from '../storage/room-reads.ts';

type Input = z.infer<typeof roomserver.sendEvent.input>;

export interface SendEventDeps extends InvitePermissionDeps {
  writer: Pick<RoomWriter, 'run'>;
}

/**
 * Sends a message, a state event or a redaction. The same transaction of the same device, and state that is
 * already so, answer the event there is. M_FORBIDDEN when the room does not allow it, M_INVITE_BLOCKED when the event
 * invites a user who wants no invites.
 */
export async function sendEvent(deps: SendEventDeps, input: Input): Promise<{ eventId: string }> {
  await refuseBlockedInvites(deps, inviteesOf(input));
  const transaction =
    input.transaction === undefined ? undefined : { ...input.transaction, userId: input.sender };
  return deps.writer.run(input.roomId, {
    users: usersOf(input),
    eventIds: input.redacts === undefined ? [] : [input.redacts],
    transactions: transaction === undefined ? [] : [transaction],
    apply: async (work) => {
      const sent = transaction && work.reads.transactions.get(transactionKeyOf(transaction));
      const same = sent ?? unchangedState(work.draft, input);
      if (same !== undefined) return { eventId: same };
      const { eventId } = await append(work, input);
      if (transaction !== undefined) work.sent({ ...transaction, eventId });
      return { eventId };
    },
  });
}

/** A membership that a client sets as state is judged by that user's membership too. */
function usersOf(input: Input): string[] {
  const authoriser = input.content['join_authorised_via_users_server'];
  return [
    input.sender,
    ...(input.type === 'm.room.member' && input.stateKey !== undefined ? [input.stateKey] : []),
    ...(typeof authoriser === 'string' ? [authoriser] : []),
  ];
}

function unchangedState(draft: RoomDraft, input: Input): string | undefined {
  if (input.stateKey === undefined || draft.membership(input.sender) !== 'join') return undefined;
  const current = draft.stateEvent(input.type, input.stateKey);
  const isSame =
    current?.pdu.sender === input.sender &&
    canonicalJson(current.pdu.content, { anyNumber: true }) ===
      canonicalJson(input.content, { anyNumber: true });
  return isSame ? current.eventId : undefined;
}

async function append(work: RoomWork, input: Input): Promise<{ eventId: string }> {
  const { draft } = work;
  refuseEntryWhenBlocked(draft, input);
  if (isOwnLeave(input)) await refuseRejectedNotice(work, input.sender);
  if (input.type === 'm.room.canonical_alias' && input.stateKey === '') await checkAliases(work, input);
  const event: EventInput = {
    type: input.type,
    sender: input.sender,
    content: input.content,
    ...(input.stateKey === undefined ? {} : { stateKey: input.stateKey }),
  };
  if (input.redacts === undefined) return draft.append(event);
  const target = redactionTarget(work, input.redacts, input.sender);
  if (input.ownOnly === true && target.event.pdu.sender !== input.sender) {
    throw userSuspended('You may only redact your own events while your account is suspended.');
  }
  const redaction = draft.append(
    draft.room.version.redactsInContent
      ? { ...event, content: { ...input.content, redacts: input.redacts } }
      : { ...event, redacts: input.redacts },
  );
  draft.redact(target, redaction);
  return redaction;
}

function isOwnLeave({ type, sender, stateKey, content }: Input): boolean {
  return type === 'm.room.member' && stateKey === sender && content['membership'] === 'leave';
}

function refuseEntryWhenBlocked(draft: RoomDraft, input: Input): void {
  const membership = input.content['membership'];
  const isEntry = membership === 'join' || membership === 'invite' || membership === 'knock';
  if (draft.room.isBlocked && input.type === 'm.room.member' && isEntry) {
    throw forbidden('An administrator has blocked this room.');
  }
}

/** Redactions of one's own events, or with the power level for redactions (room version 3 and later). */
function redactionTarget(work: RoomWork, eventId: string, sender: string): RedactionTarget {
  const { draft } = work;
  const event = work.reads.events.get(eventId);
  if (event === undefined) throw notFound('There is no such event in this room.');
  const levels = draft.stateEvent('m.room.power_levels')?.pdu.content;
  const create = draft.stateEvent('m.room.create')?.pdu;
  if (create === undefined) throw forbidden('The room has no create event.');
  const { version } = draft.room;
  const powerLevels = levels === undefined ? undefined : parsePowerLevels(levels, version);
  const isAllowed =
    event.pdu.sender === sender ||
    userPowerLevel(sender, powerLevels, create, version) >= (powerLevels?.redact ?? 50);
  if (!isAllowed) throw forbidden('You may only redact your own events in this room.');
  return {
    event,
    redactedJson: canonicalJson(redact(event.pdu, version), { anyNumber: !version.strictCanonicalJson }),
  };
}

/** `m.room.canonical_alias` may only name aliases of this room (client-server API, M_BAD_ALIAS). */
async function checkAliases(work: RoomWork, input: Input): Promise<void> {
  const known = aliasesIn(work.draft.stateEvent('m.room.canonical_alias')?.pdu.content ?? {});
  const added = aliasesIn(input.content).filter((alias) => !known.includes(alias));
  if (added.some((alias) => !alias.startsWith('#'))) throw invalidParam('That is not a room alias.');
  const wrong = await pointsElsewhere(work.db, added, work.draft.room.roomNid);
  if (wrong.length > 0) {
    throw new MatrixError(400, 'M_BAD_ALIAS', `${wrong[0] ?? ''} is not an alias of this room.`);
  }
}

function aliasesIn(content: JsonObject): string[] {
  const alternatives = content['alt_aliases'];
  const all = [content['alias'], ...(Array.isArray(alternatives) ? alternatives : [])];
  return all.filter((alias): alias is string => typeof alias === 'string' && alias !== '');
}
