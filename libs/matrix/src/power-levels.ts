import type { Pdu } from './events.ts';
import { badJson } from './errors.ts';
import { isJsonObject, own, type JsonObject, type JsonValue } from './json-types.ts';
import type { RoomVersion } from './room-versions.ts';

/** `m.room.power_levels` with its defaults filled in. The maps are own properties only: use `levelIn`. */
export interface PowerLevels {
  readonly users: Readonly<Record<string, number>>;
  readonly users_default: number;
  readonly events: Readonly<Record<string, number>>;
  readonly events_default: number;
  readonly state_default: number;
  readonly ban: number;
  readonly kick: number;
  readonly redact: number;
  readonly invite: number;
  readonly notifications: Readonly<Record<string, number>>;
}

/** The single levels of the content with the values that count where they are absent. */
export const LEVEL_DEFAULTS = {
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
} as const;

export type LevelName = keyof typeof LEVEL_DEFAULTS;
export const LEVEL_NAMES = Object.keys(LEVEL_DEFAULTS) as LevelName[];

/** No double has more digits; longer strings are not worth reading. */
const MAX_LEVEL_LENGTH = 400;

const parsed = new WeakMap<object, { version: RoomVersion; levels: PowerLevels }>();

/**
 * Reads the content of an `m.room.power_levels` event; throws M_BAD_JSON for what the room version takes for no level.
 * Before version 10 `notifications` that cannot be read count as absent, as no rule asks for them. The result is cached
 * by content object.
 */
export function parsePowerLevels(content: JsonObject, version: RoomVersion): PowerLevels {
  const cached = isJsonObject(content) ? parsed.get(content) : undefined;
  if (cached?.version === version) return cached.levels;
  if (!isJsonObject(content)) throw badJson('m.room.power_levels has no content');
  const single = (name: LevelName): number => {
    const value = own(content, name);
    return value === undefined ? LEVEL_DEFAULTS[name] : parseLevel(value, name, version);
  };
  const levels: PowerLevels = {
    users: parseMap(content, 'users', version),
    users_default: single('users_default'),
    events: parseMap(content, 'events', version),
    events_default: single('events_default'),
    state_default: single('state_default'),
    ban: single('ban'),
    kick: single('kick'),
    redact: single('redact'),
    invite: single('invite'),
    notifications: parseNotifications(content, version),
  };
  parsed.set(content, { version, levels });
  return levels;
}

const STRING_LEVEL = /^\s*[+-]?[0-9]+\s*$/;

/**
 * One level as an integer, read as the room version does ("Deprecated event content schemas"): up to version 9 a string
 * may hold an integer of any length, up to version 5 a float is cut towards zero. Throws M_BAD_JSON for all else, also
 * for what no double can hold.
 */
export function parseLevel(value: JsonValue, name: string, version: RoomVersion): number {
  const level = readLevel(value, version);
  if (level === undefined) throw badJson(`${name} in m.room.power_levels is not an integer`);
  return level;
}

function readLevel(
  value: JsonValue,
  { powerLevelTypes, strictCanonicalJson }: RoomVersion,
): number | undefined {
  if (typeof value === 'number') {
    if (strictCanonicalJson) return Number.isSafeInteger(value) ? value : undefined;
    return Number.isFinite(value) ? Math.trunc(value) + 0 : undefined;
  }
  if (powerLevelTypes === 'integers' || typeof value !== 'string') return undefined;
  if (value.length > MAX_LEVEL_LENGTH || !STRING_LEVEL.test(value)) return undefined;
  const level = Number(value);
  return Number.isFinite(level) ? level + 0 : undefined;
}

/** The level under a key that comes from outside. */
export function levelIn(map: Readonly<Record<string, number>>, key: string): number | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Room version 12: sender and `additional_creators` of the create event; before, its one creator. */
export function roomCreators(create: Pdu, version: RoomVersion): string[] {
  if (!version.implicitRoomCreator) {
    const creator = own(create.content, 'creator');
    return typeof creator === 'string' ? [creator] : [];
  }
  if (!version.privilegedCreators) return [create.sender];
  const additional = own(create.content, 'additional_creators');
  const named = Array.isArray(additional) ? additional.filter((id) => typeof id === 'string') : [];
  return [create.sender, ...named];
}

/**
 * A user's power level; Infinity for the creators of a version 12 room. Without power levels the creator has 100 and
 * all others 0.
 */
export function userPowerLevel(
  userId: string,
  powerLevels: PowerLevels | undefined,
  create: Pdu,
  version: RoomVersion,
): number {
  const isCreator = roomCreators(create, version).includes(userId);
  if (isCreator && version.privilegedCreators) return Infinity;
  if (powerLevels === undefined) return isCreator ? 100 : 0;
  return levelIn(powerLevels.users, userId) ?? powerLevels.users_default;
}

/** What it takes to send an event of a type (server-server API, "Definitions"); not for membership events. */
export function requiredPowerLevel(
  type: string,
  isState: boolean,
  powerLevels: PowerLevels | undefined,
): number {
  if (powerLevels === undefined) {
    return isState ? LEVEL_DEFAULTS.state_default : LEVEL_DEFAULTS.events_default;
  }
  return (
    levelIn(powerLevels.events, type) ?? (isState ? powerLevels.state_default : powerLevels.events_default)
  );
}

/** The content of a new room's `m.room.power_levels`; creators of version 12 must not be listed in it. */
export function defaultPowerLevels(creator: string, version: RoomVersion): JsonObject {
  return {
    users: version.privilegedCreators ? {} : { [creator]: 100 },
    users_default: 0,
    events: {
      'm.room.name': 50,
      'm.room.power_levels': 100,
      'm.room.history_visibility': 100,
      'm.room.canonical_alias': 50,
      'm.room.avatar': 50,
      'm.room.tombstone': version.privilegedCreators ? 150 : 100,
      'm.room.server_acl': 100,
      'm.room.encryption': 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: 0,
  };
}

function parseNotifications(content: JsonObject, version: RoomVersion): Record<string, number> {
  if (version.powerLevelTypes === 'integers') return parseMap(content, 'notifications', version);
  const map = own(content, 'notifications');
  if (!isJsonObject(map)) return {};
  const readable = Object.entries(map).map(([key, value]) => [key, readLevel(value, version)] as const);
  return Object.fromEntries(readable.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

function parseMap(content: JsonObject, name: string, version: RoomVersion): Record<string, number> {
  const map = own(content, name);
  if (map === undefined) return {};
  if (!isJsonObject(map)) throw badJson(`${name} in m.room.power_levels is not an object`);
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [key, parseLevel(value, `${name}.${key}`, version)]),
  );
}
