import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  notFound,
  own,
  ownString,
  type PushRuleKind,
  pushRuleKinds,
  tooLarge,
  unknown,
} from '@seneschal/matrix';

import { defaultPushRules } from './push-rules.ts';

/** What a user changed: `rules` are the user's own by kind, `defaults` what is other than the server says. */
const mostRules = 1000;

export interface NewPushRule {
  kind: PushRuleKind;
  ruleId: string;
  actions: JsonValue[];
  conditions?: JsonObject[] | undefined;
  pattern?: string | undefined;
  before?: string | undefined;
  after?: string | undefined;
}

/** The rules in force: `.m.rule.master`, then the user's own, then those of the server. */
export function pushRulesOf(userId: string, changes: JsonObject | undefined): JsonObject {
  const defaults = defaultPushRules(userId);
  const ruleset: JsonObject = {};
  for (const kind of pushRuleKinds) {
    const changed = rulesIn(defaults, kind).map((rule) => {
      const change = own(own(changes, 'defaults'), ownString(rule, 'rule_id') ?? '');
      return isJsonObject(change) ? { ...rule, ...change } : rule;
    });
    const isMaster = (rule: JsonObject): boolean => rule['rule_id'] === '.m.rule.master';
    ruleset[kind] = [
      ...changed.filter(isMaster),
      ...rulesIn(own(changes, 'rules'), kind),
      ...changed.filter((rule) => !isMaster(rule)),
    ];
  }
  return ruleset;
}

function rulesIn(ruleset: unknown, kind: PushRuleKind): JsonObject[] {
  const rules = own(ruleset, kind);
  return Array.isArray(rules) ? rules.filter(isJsonObject) : [];
}

/** Adds a rule, first among the user's own unless told otherwise, or replaces the one of that ID. */
export function putRule(changes: JsonObject | undefined, rule: NewPushRule): JsonObject {
  const { kind, ruleId, before, after } = rule;
  const own = rulesIn(changes?.['rules'], kind);
  const index = own.findIndex((one) => one['rule_id'] === ruleId);
  const made: JsonObject = {
    rule_id: ruleId,
    default: false,
    enabled: own[index]?.['enabled'] ?? true,
    actions: rule.actions,
    ...(rule.conditions === undefined ? {} : { conditions: rule.conditions }),
    ...(rule.pattern === undefined ? {} : { pattern: rule.pattern }),
  };
  const others = own.filter((_, at) => at !== index);
  if (others.length >= mostRules) throw tooLarge(`There are at most ${mostRules} rules of a kind.`);
  const relative = before ?? after;
  const place =
    relative === undefined ? Math.max(index, 0) : placeOf(others, relative) + (before === undefined ? 1 : 0);
  return withRules(changes, kind, [...others.slice(0, place), made, ...others.slice(place)]);
}

function placeOf(rules: readonly JsonObject[], ruleId: string): number {
  const place = rules.findIndex((one) => one['rule_id'] === ruleId);
  if (place === -1) throw unknown(400, `There is no rule ${ruleId} of your own of that kind.`);
  return place;
}

/** M_NOT_FOUND when there is none of that ID. */
export function removeRule(changes: JsonObject | undefined, kind: PushRuleKind, ruleId: string): JsonObject {
  const own = rulesIn(changes?.['rules'], kind);
  const rest = own.filter((one) => one['rule_id'] !== ruleId);
  if (rest.length === own.length) throw noRule();
  return withRules(changes, kind, rest);
}

/** Sets `enabled` or `actions` of a rule, be it the user's own or the server's. */
export function changeRule(
  userId: string,
  changes: JsonObject | undefined,
  { kind, ruleId, change }: { kind: PushRuleKind; ruleId: string; change: JsonObject },
): JsonObject {
  const own = rulesIn(changes?.['rules'], kind);
  if (own.some((one) => one['rule_id'] === ruleId)) {
    const changed = own.map((one) => (one['rule_id'] === ruleId ? { ...one, ...change } : one));
    return withRules(changes, kind, changed);
  }
  if (!rulesIn(defaultPushRules(userId), kind).some((one) => one['rule_id'] === ruleId)) throw noRule();
  const defaults = isJsonObject(changes?.['defaults']) ? changes['defaults'] : {};
  const earlier = defaults[ruleId];
  return {
    ...changes,
    defaults: { ...defaults, [ruleId]: { ...(isJsonObject(earlier) ? earlier : {}), ...change } },
  };
}

function noRule(): Error {
  return notFound('There is no such push rule.');
}

function withRules(changes: JsonObject | undefined, kind: PushRuleKind, rules: JsonObject[]): JsonObject {
  const all = isJsonObject(changes?.['rules']) ? changes['rules'] : {};
  return { ...changes, rules: { ...all, [kind]: rules } };
}
