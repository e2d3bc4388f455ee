import { MatrixError } from '@seneschal/matrix';

import { isNoticeRoom } from '../storage/notice-rooms.ts';
import type { RoomWork } from './room-writer.ts';

/**
 * Throws M_CANNOT_LEAVE_SERVER_NOTICE_ROOM when a user turns down the invite to their notice room (client-server
 * API, "Server Notices"). Who has joined may leave, and an administrator may take anybody out.
 */
export async function refuseRejectedNotice({ draft, db }: RoomWork, userId: string): Promise<void> {
  if (draft.membership(userId) !== 'invite') return;
  if (await isNoticeRoom(db, draft.room.roomNid, userId)) {
    throw new MatrixError(403, 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM', 'This invite cannot be rejected.');
  }
}
