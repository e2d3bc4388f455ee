import { globMatches, globMatchesWords } from './glob.ts';
import type { JsonObject } from './json-types.ts';
import { evaluatePushRules, type PushContext, type PushEvent } from './push-rules.ts';

const event: PushEvent = {
  type: 'm.room.message',
  sender: '@bob:x',
  room_id: '!r:x',
  content: {
    body: 'Hello Alice, how is the cat?',
    'm.mentions': { user_ids: ['@alice:x'], room: true },
    nested: { 'a.b': { n: 1 } },
  },
};
const context: PushContext = { joinedMembers: 2, senderLevel: 0, powerLevels: undefined };
const loud = { notify: true, highlight: true };
const quiet = { notify: false, highlight: false };
const actions = ['notify', { set_tweak: 'highlight' }];

const withCondition = (condition: JsonObject, change: Partial<PushContext> = {}) =>
  evaluatePushRules({ override: [{ rule_id: 'r', conditions: [condition], actions }] }, event, {
    ...context,
    ...change,
  });

describe('push rules', () => {
  it.each([
    [{ kind: 'event_match', key: 'type', pattern: 'm.room.*' }, true],
    [{ kind: 'event_match', key: 'type', pattern: 'm.room' }, false],
    [{ kind: 'event_match', key: 'content.body', pattern: 'alice' }, true],
    [{ kind: 'event_match', key: 'content.body', pattern: 'lic' }, false],
    [{ kind: 'event_match', key: 'content.nested.a\\.b.n', pattern: '1' }, false],
    [{ kind: 'event_match', key: 'content.constructor', pattern: '*' }, false],
    [{ kind: 'event_property_is', key: 'content.nested.a\\.b.n', value: 1 }, true],
    [{ kind: 'event_property_is', key: 'content.nested', value: {} }, false],
    [{ kind: 'event_property_is', key: 'content.none' }, false],
    [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: '@alice:x' }, true],
    [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: '@eve:x' }, false],
    [{ kind: 'room_member_count', is: '2' }, true],
    [{ kind: 'room_member_count', is: '>2' }, false],
    [{ kind: 'room_member_count', is: '<=2' }, true],
    [{ kind: 'room_member_count', is: 'two' }, false],
    [{ kind: 'contains_display_name' }, false],
    [{ kind: 'sender_notification_permission', key: 'room' }, false],
    [{ kind: 'something_new' }, false],
    [{}, false],
  ])('match by the condition %j: %j', (condition, expected) => {
    expect(withCondition(condition as JsonObject)).toEqual(expected ? loud : quiet);
  });

  it('look at the name of the user, and at what the sender may do', () => {
    expect(withCondition({ kind: 'contains_display_name' }, { displayName: 'alice' })).toEqual(loud);
    expect(withCondition({ kind: 'contains_display_name' }, { displayName: '*' })).toEqual(quiet);
    const permission = { kind: 'sender_notification_permission', key: 'room' };
    expect(withCondition(permission, { senderLevel: 50 })).toEqual(loud);
  });

  it('are looked at by kind, and the first that matches decides', () => {
    const rules = {
      override: [{ rule_id: 'off', enabled: false, conditions: [], actions: [] }],
      content: [{ rule_id: 'cat', pattern: 'c?t', actions }],
      room: [{ rule_id: '!r:x', actions: [] }],
      sender: [{ rule_id: '@bob:x', actions }],
    };
    expect(evaluatePushRules(rules, event, context)).toEqual(loud);
    expect(evaluatePushRules({ ...rules, content: [] }, event, context)).toEqual(quiet);
    expect(evaluatePushRules({ ...rules, content: [], room: [] }, event, context)).toEqual(loud);
    expect(evaluatePushRules({ ...rules, content: 'x', room: [null] }, event, context)).toEqual(loud);
    expect(evaluatePushRules({}, event, context)).toEqual(quiet);
  });
});

describe('globs', () => {
  it.each([
    ['*', '', true],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*b*', 'ab', true],
    ['ab*ba', 'aba', false],
    ['A?C', 'abc', true],
    ['a?c', 'ac', false],
    ['[ab]', 'a', false],
  ])('%j matches all of %j: %j', (pattern, text, expected) => {
    expect(globMatches(pattern, text)).toBe(expected);
  });

  it.each([
    ['cat', 'a cat.', true],
    ['cat', 'concatenate, cat', true],
    ['cat', 'concatenate', false],
    ['c*t', 'the coat', true],
    ['c*t', 'coats', false],
    ['*at', 'a concat', true],
    ['é', 'caf é', true],
    ['.', 'a.b', true],
  ])('%j is found between words of %j: %j', (pattern, text, expected) => {
    expect(globMatchesWords(pattern, text)).toBe(expected);
  });

  it('17 (CVE-2021-29471): are never slow', () => {
    const text = `${'a'.repeat(60_000)}b`;
    const started = performance.now();
    expect(globMatches(`${'a*'.repeat(60)}c`, text)).toBe(false);
    expect(globMatchesWords(`${'a*'.repeat(60)}c`, text)).toBe(false);
    expect(globMatchesWords(`${'?'.repeat(60)}*c`, text)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
