import type { UserapiForRoomserver } from '@seneschal/contracts';
import { inviteBlocked, type JsonObject } from '@seneschal/matrix';

export interface InvitePermissionDeps {
  userapi: Pick<UserapiForRoomserver, 'invitesBlockedBy'>;
}

/**
 * Client-server API v1.18, "Invite permission": throws M_INVITE_BLOCKED when one of the users wants no invites. Asked before
 * the room is locked; of who says so meanwhile the invite is shown to nobody.
 */
export async function refuseBlockedInvites(
  { userapi }: InvitePermissionDeps,
  userIds: readonly string[],
): Promise<void> {
  const [blocking] = userIds.length === 0 ? [] : await userapi.invitesBlockedBy(userIds);
  if (blocking !== undefined) throw inviteBlocked(`${blocking} does not want to be invited to rooms.`);
}

/** Whom an event invites, if anybody. */
export function inviteesOf(event: {
  type: string;
  stateKey?: string | undefined;
  content: JsonObject;
}): string[] {
  const isInvite = event.type === 'm.room.member' && event.content['membership'] === 'invite';
  return isInvite && event.stateKey !== undefined ? [event.stateKey] : [];
}
