import { parsePowerLevels, roomVersion, type RoomVersion } from '@seneschal/matrix';

import type { EventInput } from './room-draft.ts';

/** The first version that takes nothing but integers. */
const strict = roomVersion('10');

/**
 * Room versions before 10 must take power levels as strings, those before 6 as floats; new ones of our own users are
 * integers all the same ("Deprecated event content schemas": precautions against sending such events). M_BAD_JSON.
 */
export function demandIntegerLevels({ type, stateKey, content }: EventInput, version: RoomVersion): void {
  const isLax = version.powerLevelTypes !== 'integers';
  if (isLax && type === 'm.room.power_levels' && stateKey === '') parsePowerLevels(content, strict);
}
