import type { z } from 'zod';

import type { Membership, roomserver } from '@seneschal/contracts';
import { forbidden, type JsonObject, notFound, serverNameOf } from '@seneschal/matrix';

import { type InvitePermissionDeps, refuseBlockedInvites } from '../room/invite-permission.ts';
import { restrictedJoin } from '../room/restricted-join.ts';
import { refuseRejectedNotice } from '../room/notice-invite.ts';
import type { RoomDraft } from '../room/room-draft.ts';
import type { RoomWork, RoomWriter } from '../room/room-writer.ts';

type Input = z.infer<typeof roomserver.changeMembership.input>;
type Action = Input['action'];

export interface ChangeMembershipDeps extends InvitePermissionDeps {
  writer: Pick<RoomWriter, 'run'>;
  serverName: string;
}

/** The membership that each action leads to. */
const outcomes: Record<Action, Membership> = {
  join: 'join',
  leave: 'leave',
  invite: 'invite',
  knock: 'knock',
  kick: 'leave',
  ban: 'ban',
  unban: 'leave',
};

/** What the target has to be for actions that the authorisation rules alone would take for another. */
const required: Partial<Record<Action, readonly Membership[]>> = {
  leave: ['join', 'invite', 'knock', 'leave'],
  kick: ['join', 'invite', 'knock', 'leave'],
  unban: ['ban', 'leave'],
};

const entries: ReadonlySet<Action> = new Set(['join', 'invite', 'knock']);

/**
 * One membership change. What is already so answers the event there is, so every action may be repeated.
 * M_FORBIDDEN when the room does not allow it or is blocked, M_INVITE_BLOCKED when the invited user
 * wants no invites, M_NOT_FOUND when the room to enter is unknown.
 */
export async function changeMembership(
  deps: ChangeMembershipDeps,
  input: Input,
): Promise<{ roomId: string; eventId: string }> {
  if (input.action === 'invite' && serverNameOf(input.target) !== deps.serverName) {
    throw forbidden('Users of other servers are invited through their servers.');
  }
  if (input.action === 'invite') await refuseBlockedInvites(deps, [input.target]);
  return deps.writer.run(input.roomId, {
    users: [input.sender, input.target],
    ...(input.action === 'join' || input.action === 'knock'
      ? { unknownRoom: notFound('There is no such room on this server.') }
      : {}),
    apply: async (work) => {
      const eventId = unchanged(work.draft, input) ?? (await change(work, input));
      return { roomId: work.draft.room.roomId, eventId };
    },
  });
}

/** The present membership event, when it already says what is asked for. */
function unchanged(draft: RoomDraft, input: Input): string | undefined {
  const { action } = input;
  if (action !== 'join' && action !== 'leave' && draft.membership(input.sender) !== 'join') return undefined;
  const current = draft.member(input.target);
  if (current?.membership !== outcomes[action]) return undefined;
  const content = current.event?.pdu.content;
  const isSameProfile =
    content?.['displayname'] === input.profile?.displayname &&
    content?.['avatar_url'] === input.profile?.avatarUrl;
  return action === 'join' && !isSameProfile ? undefined : current.event?.eventId;
}

async function change(work: RoomWork, input: Input): Promise<string> {
  const { draft } = work;
  if (draft.room.isBlocked && entries.has(input.action)) {
    throw forbidden('An administrator has blocked this room.');
  }
  if (input.action === 'leave') await refuseRejectedNotice(work, input.target);
  const before = draft.membership(input.target);
  const allowed = required[input.action];
  if (allowed !== undefined && (before === undefined || !allowed.includes(before))) {
    throw forbidden(`${input.target} is ${before ?? 'not'} in this room: ${input.action} does not apply.`);
  }
  const content = contentOf(draft, input);
  if (input.action === 'join') Object.assign(content, await restrictedJoin(work, input.target));
  return draft.append({
    type: 'm.room.member',
    sender: input.sender,
    stateKey: input.target,
    content,
  }).eventId;
}

function contentOf(draft: RoomDraft, input: Input): JsonObject {
  const content: JsonObject = { membership: outcomes[input.action] };
  const profile = input.profile ?? profileBefore(draft, input);
  if (profile.displayname !== undefined) content['displayname'] = profile.displayname;
  if (profile.avatarUrl !== undefined) content['avatar_url'] = profile.avatarUrl;
  if (input.reason !== undefined) content['reason'] = input.reason;
  if (input.isDirect === true && input.action === 'invite') content['is_direct'] = true;
  return content;
}

/** Who leaves, or is made to, keeps the name that the room knows. */
function profileBefore(draft: RoomDraft, input: Input): NonNullable<Input['profile']> {
  const content = draft.member(input.target)?.event?.pdu.content ?? {};
  const { displayname, avatar_url: avatarUrl } = content;
  return {
    ...(typeof displayname === 'string' ? { displayname } : {}),
    ...(typeof avatarUrl === 'string' ? { avatarUrl } : {}),
  };
}
