import { forbidden, isMatrixError } from '../errors.ts';
import { isUserId } from '../identifiers.ts';
import { isJsonObject, own, type JsonObject } from '../json-types.ts';
import {
  LEVEL_NAMES,
  parseLevel,
  parsePowerLevels,
  roomCreators,
  type PowerLevels,
} from '../power-levels.ts';
import { levelOf, demand, type RuleContext } from './types.ts';

type Levels = ReadonlyMap<string, number>;

/** Rule 9 of versions 10 and 11, rule 10 of version 12: `m.room.power_levels`. Returns when the event is allowed. */
export function checkPowerLevels(context: RuleContext): void {
  const { pdu, version, create, state } = context;
  const next = readLevels(context);
  for (const userId of Object.keys(next.users)) {
    demand(isUserId(userId), 'The power levels list what is no user ID');
  }
  if (version.privilegedCreators) {
    for (const creator of roomCreators(create, version)) {
      demand(!Object.hasOwn(next.users, creator), 'The power levels must not list a creator of the room');
    }
  }
  const current = state.get('m.room.power_levels', '');
  if (current === undefined) return;
  const level = levelOf(context, pdu.sender);
  checkMap(singleLevels(current.content, context), singleLevels(pdu.content, context), level);
  checkMap(mapOf(current.content, 'events', context), mapOf(pdu.content, 'events', context), level);
  if (version.notificationPowerLevels) {
    const name = 'notifications';
    checkMap(mapOf(current.content, name, context), mapOf(pdu.content, name, context), level);
  }
  checkUsers(context, mapOf(current.content, 'users', context), level);
}

/** The new levels, refused when anything in them is no integer. */
function readLevels({ pdu, version }: RuleContext): PowerLevels {
  try {
    return parsePowerLevels(pdu.content, version);
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    throw forbidden(error.message);
  }
}

/** Every entry that is added, changed or removed must lie at or below the sender's level, before and after. */
function checkMap(before: Levels, after: Levels, level: number): void {
  for (const [key, [old, next]] of alterations(before, after)) {
    demand(old === undefined || old <= level, `The current level of ${key} is above the sender's`);
    demand(next === undefined || next <= level, `The new level of ${key} is above the sender's`);
  }
}

function checkUsers(context: RuleContext, before: Levels, level: number): void {
  const after = mapOf(context.pdu.content, 'users', context);
  for (const [userId, [old, next]] of alterations(before, after)) {
    if (userId !== context.pdu.sender) {
      demand(old === undefined || old < level, `The current level of ${userId} is not below the sender's`);
    }
    demand(next === undefined || next <= level, `The new level of ${userId} is above the sender's`);
  }
}

function alterations(
  before: Levels,
  after: Levels,
): Map<string, [old: number | undefined, next: number | undefined]> {
  const found = new Map<string, [number | undefined, number | undefined]>();
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(key);
    const next = after.get(key);
    if (old !== next) found.set(key, [old, next]);
  }
  return found;
}

/** The single levels that are present; absent ones are not their defaults here. */
function singleLevels(content: JsonObject, { version }: RuleContext): Levels {
  const present = new Map<string, number>();
  for (const name of LEVEL_NAMES) {
    const value = own(content, name);
    if (value !== undefined) present.set(name, parseLevel(value, name, version));
  }
  return present;
}

function mapOf(content: JsonObject, name: string, { version }: RuleContext): Levels {
  const map = own(content, name);
  if (!isJsonObject(map)) return new Map();
  return new Map(Object.entries(map).map(([key, value]) => [key, parseLevel(value, key, version)]));
}
