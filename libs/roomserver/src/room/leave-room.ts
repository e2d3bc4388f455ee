import { isMatrixError, type JsonObject } from '@seneschal/matrix';

import type { RoomDraft } from './room-draft.ts';

const leavable: ReadonlySet<unknown> = new Set(['join', 'invite', 'knock']);

/** What a leave event does not take over from the membership before it. */
const entryOnly = ['join_authorised_via_users_server', 'third_party_invite', 'is_direct'];

/**
 * Makes a user leave by an event of their own, with the rest of their membership's content kept. Answers
 * why it cannot be, or undefined when it is done. Leaving takes no power level, so when the room forbids it
 * although the user's own membership event allows it, the room's state is damaged, and the user leaves all
 * the same.
 */
export function leaveRoom(draft: RoomDraft, userId: string): string | undefined {
  const before = draft.member(userId)?.event?.pdu.content;
  if (before === undefined) return 'The membership event of the user cannot be read.';
  const membership = before['membership'];
  if (!leavable.has(membership)) {
    return `The membership event of the user says ${JSON.stringify(membership)}.`;
  }
  const content: JsonObject = { ...before, membership: 'leave' };
  for (const key of entryOnly) Reflect.deleteProperty(content, key);
  const leave = { type: 'm.room.member', sender: userId, stateKey: userId, content };
  try {
    try {
      draft.append(leave);
    } catch (error) {
      if (!isMatrixError(error) || error.status !== 403) throw error;
      draft.append(leave, { isForced: true });
    }
    return undefined;
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    return error.message;
  }
}
