import { forbidden, isMatrixError } from '../errors.ts';
import { isUserId } from '../identifiers.ts';
import { own, type JsonObject } from '../json-types.ts';
import {
  LEVEL_NAMES,
  parseLevel,
  parsePowerLevels,
  roomCreators,
  type PowerLevels,
} from '../power-levels.ts';
import { levelOf, powerLevelsOf, demand, type RuleContext } from './types.ts';

type Levels = ReadonlyMap<string, number>;

/**
 * Rule 10 of versions 1 to 5 and 12, rule 9 of versions 6 to 11: `m.room.power_levels`. Returns when the event is allowed.
 */
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
  const event = state.get('m.room.power_levels', '');
  const current = powerLevelsOf(context);
  if (event === undefined || current === undefined) return;
  const level = levelOf(context, pdu.sender);
  checkMap(singleLevels(event.content, context), singleLevels(pdu.content, context), level);
  checkMap(mapOf(current.events), mapOf(next.events), level);
  if (version.notificationPowerLevels) {
    checkMap(mapOf(current.notifications), mapOf(next.notifications), level);
  }
  checkUsers(pdu.sender, mapOf(current.users), mapOf(next.users), level);
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

function checkUsers(sender: string, before: Levels, after: Levels, level: number): void {
  for (const [userId, [old, next]] of alterations(before, after)) {
    if (userId !== sender) {
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

function mapOf(levels: Readonly<Record<string, number>>): Levels {
  return new Map(Object.entries(levels));
}
