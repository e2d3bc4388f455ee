import { parsePowerLevels, requiredPowerLevel, userPowerLevel } from '@seneschal/matrix';

import type { RoomDraft } from './room-draft.ts';

/** Whether a user is in the room and may set state of this type. The membership must have been loaded. */
export function maySetState(draft: RoomDraft, userId: string, type: string): boolean {
  const { version } = draft.room;
  const create = draft.stateEvent('m.room.create')?.pdu;
  const content = draft.stateEvent('m.room.power_levels')?.pdu.content;
  const levels = content === undefined ? undefined : parsePowerLevels(content, version);
  return (
    create !== undefined &&
    draft.membership(userId) === 'join' &&
    userPowerLevel(userId, levels, create, version) >= requiredPowerLevel(type, true, levels)
  );
}
