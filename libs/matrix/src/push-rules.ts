import type { PowerLevels } from './power-levels.ts';
import { isJsonObject, type JsonObject, type JsonValue, own, ownString } from './json-types.ts';
import { globMatches, globMatchesWords, wordsMatch } from './glob.ts';

/** The kinds of push rules in the order in which they are looked at. */
export const pushRuleKinds = ['override', 'content', 'room', 'sender', 'underride'] as const;
export type PushRuleKind = (typeof pushRuleKinds)[number];

/** What the rules look at of an event. */
export interface PushEvent {
  type: string;
  sender: string;
  room_id: string;
  state_key?: string;
  content: JsonObject;
}

/** What the rules look at besides the event. */
export interface PushContext {
  displayName?: string | undefined;
  joinedMembers: number;
  senderLevel: number;
  /** Undefined for a room without power levels. */
  powerLevels: PowerLevels | undefined;
}

export interface PushOutcome {
  notify: boolean;
  highlight: boolean;
}

const silent: PushOutcome = { notify: false, highlight: false };

/**
 * What a user's rules say of an event of another user: the first rule that matches decides (client-server API,
 * "Push Rules"). Conditions of a kind that is not known match nothing. Nothing in here is slower than the length
 * of the event times that of the pattern.
 */
export function evaluatePushRules(ruleset: JsonObject, event: PushEvent, context: PushContext): PushOutcome {
  return outcomeOf(matchingRule(ruleset, event, context) ?? null);
}

/** What the rule that decides has done, be it to notify or not; nothing where none does. */
export function pushActions(ruleset: JsonObject, event: PushEvent, context: PushContext): JsonValue[] {
  const actions = own(matchingRule(ruleset, event, context), 'actions');
  return Array.isArray(actions) ? actions : [];
}

function matchingRule(ruleset: JsonObject, event: PushEvent, context: PushContext): JsonValue | undefined {
  for (const kind of pushRuleKinds) {
    const rules = own(ruleset, kind);
    if (!Array.isArray(rules)) continue;
    for (const rule of rules) {
      if (own(rule, 'enabled') !== false && matches(kind, rule, event, context)) return rule;
    }
  }
  return undefined;
}

function outcomeOf(rule: JsonValue): PushOutcome {
  const actions = own(rule, 'actions');
  if (!Array.isArray(actions) || !actions.includes('notify')) return silent;
  const isHighlight = (action: JsonValue): boolean =>
    ownString(action, 'set_tweak') === 'highlight' && own(action, 'value') !== false;
  return { notify: true, highlight: actions.some(isHighlight) };
}

function matches(kind: PushRuleKind, rule: JsonValue, event: PushEvent, context: PushContext): boolean {
  const ruleId = ownString(rule, 'rule_id');
  if (kind === 'room') return ruleId === event.room_id;
  if (kind === 'sender') return ruleId === event.sender;
  if (kind === 'content') {
    const pattern = ownString(rule, 'pattern');
    const body = ownString(event.content, 'body');
    return pattern !== undefined && body !== undefined && globMatchesWords(pattern, body);
  }
  const conditions = own(rule, 'conditions');
  return (
    conditions === undefined ||
    (Array.isArray(conditions) && conditions.every((condition) => holds(condition, event, context)))
  );
}

type Condition = (condition: JsonValue, event: PushEvent, context: PushContext) => boolean;

const conditions: Record<string, Condition> = {
  event_match: (condition, event) => {
    const key = ownString(condition, 'key');
    const pattern = ownString(condition, 'pattern');
    const value = key === undefined ? undefined : valueAt(event, key);
    if (pattern === undefined || typeof value !== 'string') return false;
    return key === 'content.body' ? globMatchesWords(pattern, value) : globMatches(pattern, value);
  },
  event_property_is: (condition, event) => {
    const value = own(condition, 'value');
    const found = valueAt(event, ownString(condition, 'key') ?? '');
    return isScalar(value) && found === value;
  },
  event_property_contains: (condition, event) => {
    const value = own(condition, 'value');
    const found = valueAt(event, ownString(condition, 'key') ?? '');
    return isScalar(value) && Array.isArray(found) && found.includes(value);
  },
  contains_display_name: (_condition, event, { displayName }) => {
    const body = ownString(event.content, 'body');
    return (
      body !== undefined && displayName !== undefined && displayName !== '' && wordsMatch(displayName, body)
    );
  },
  room_member_count: (condition, _event, { joinedMembers }) => {
    const [, operator = '', digits] =
      /^(==|<=|>=|<|>)?(\d{1,9})$/.exec(ownString(condition, 'is') ?? '') ?? [];
    if (digits === undefined) return false;
    const count = Number(digits);
    if (operator === '<') return joinedMembers < count;
    if (operator === '>') return joinedMembers > count;
    if (operator === '<=') return joinedMembers <= count;
    return operator === '>=' ? joinedMembers >= count : joinedMembers === count;
  },
  sender_notification_permission: (condition, _event, { senderLevel, powerLevels }) => {
    const key = ownString(condition, 'key');
    if (key === undefined) return false;
    const levels = powerLevels?.notifications ?? {};
    return senderLevel >= (Object.hasOwn(levels, key) ? (levels[key] ?? 50) : 50);
  },
};

function holds(condition: JsonValue, event: PushEvent, context: PushContext): boolean {
  const kind = ownString(condition, 'kind');
  if (kind === undefined || !Object.hasOwn(conditions, kind)) return false;
  return conditions[kind]?.(condition, event, context) ?? false;
}

function isScalar(value: JsonValue | undefined): value is string | number | boolean | null {
  return value !== undefined && !Array.isArray(value) && !isJsonObject(value);
}

/** A property by its dot-separated path; a backslash takes a dot or a backslash literally. */
function valueAt(event: PushEvent, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = event as unknown as JsonObject;
  for (const name of namesIn(path)) value = own(value, name);
  return value;
}

function namesIn(path: string): string[] {
  const names: string[] = [];
  let name = '';
  for (let index = 0; index < path.length; index += 1) {
    const character = path.charAt(index);
    const next = path.charAt(index + 1);
    if (character === '\\' && (next === '.' || next === '\\')) {
      name += next;
      index += 1;
    } else if (character === '.') {
      names.push(name);
      name = '';
    } else name += character;
  }
  return [...names, name];
}
