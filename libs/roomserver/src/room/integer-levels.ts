import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  LEVEL_NAMES,
  parseLevel,
  parsePowerLevels,
  roomVersion,
  type RoomVersion,
} from '@seneschal/matrix';

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

/** Power levels that can be read, with every level as an integer that all room versions take. */
export function integerLevels(content: JsonObject, version: RoomVersion): JsonObject {
  const toInteger = (value: JsonValue, name: string): number =>
    Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, parseLevel(value, name, version)));
  const integers: JsonObject = { ...content };
  for (const name of LEVEL_NAMES) {
    const value = content[name];
    if (value !== undefined) integers[name] = toInteger(value, name);
  }
  for (const name of ['users', 'events'] as const) {
    const map = content[name];
    if (!isJsonObject(map)) continue;
    const entries = Object.entries(map).map(([key, value]) => [key, toInteger(value, key)] as const);
    integers[name] = Object.fromEntries(entries);
  }
  if (content['notifications'] !== undefined) {
    integers['notifications'] = { ...parsePowerLevels(content, version).notifications };
  }
  return integers;
}
