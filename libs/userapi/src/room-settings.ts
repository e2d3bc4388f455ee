import { isJsonObject, type JsonObject, type JsonValue, own } from '@seneschal/matrix';

/** `m.direct` with a room beside the one that it replaces; undefined when that is in no list, or the room is. */
export function directRooms(
  content: JsonObject | undefined,
  from: string,
  to: string,
): JsonObject | undefined {
  const changed = Object.entries(content ?? {}).map(([userId, rooms]): [string, JsonValue] => {
    const isListed = Array.isArray(rooms) && rooms.includes(from) && !rooms.includes(to);
    return [userId, isListed ? [...rooms, to] : rooms];
  });
  const hasChanged = changed.some(([userId, rooms]) => rooms !== content?.[userId]);
  return hasChanged ? Object.fromEntries(changed) : undefined;
}

/** The rules that clients make to hush a room, or to have it heard. */
const kindsOfRooms = ['room', 'override'];

/**
 * What a user changed of the push rules, with the rules of a room beside those of the one that it replaces; undefined when
 * there are none, or the room has its own.
 */
export function pushRulesOfSuccessor(
  changes: JsonObject | undefined,
  from: string,
  to: string,
): JsonObject | undefined {
  const rules = own(changes, 'rules');
  if (!isJsonObject(rules)) return undefined;
  const next: JsonObject = { ...rules };
  let hasChanged = false;
  for (const kind of kindsOfRooms) {
    const ofKind = rules[kind];
    if (!Array.isArray(ofKind) || ofKind.some((rule) => own(rule, 'rule_id') === to)) continue;
    const copies = ofKind
      .filter((rule) => own(rule, 'rule_id') === from)
      .map((rule) => renamed(rule, from, to));
    if (copies.length === 0) continue;
    next[kind] = [...copies, ...ofKind];
    hasChanged = true;
  }
  return hasChanged ? { ...changes, rules: next } : undefined;
}

/** A rule of a room names it by its ID, and in what it compares the room with. */
function renamed(rule: JsonValue, from: string, to: string): JsonValue {
  if (!isJsonObject(rule)) return rule;
  const conditions = rule['conditions'];
  return {
    ...rule,
    rule_id: to,
    ...(Array.isArray(conditions)
      ? {
          conditions: conditions.map((condition) =>
            isJsonObject(condition) && condition['pattern'] === from
              ? { ...condition, pattern: to }
              : condition,
          ),
        }
      : {}),
  };
}
