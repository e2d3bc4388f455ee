import type { JsonObject, JsonValue } from '@seneschal/matrix';

const sound = (value: string): JsonObject => ({ set_tweak: 'sound', value });
const highlight: JsonObject = { set_tweak: 'highlight' };
const match = (key: string, pattern: string): JsonObject => ({ kind: 'event_match', key, pattern });
const twoMembers: JsonObject = { kind: 'room_member_count', is: '2' };

function rule(id: string, conditions: JsonObject[], actions: JsonValue[] = [], enabled = true): JsonObject {
  return { rule_id: `.m.rule.${id}`, default: true, enabled, conditions, actions };
}

/**
 * The server-default push rules of a user (client-server API v1.18, "Predefined Rules"). Rules of earlier versions that look for names in the text are no part of it any more.
 */
export function defaultPushRules(userId: string): JsonObject {
  return { override: overrideRules(userId), content: [], room: [], sender: [], underride: underrideRules() };
}

function overrideRules(userId: string): JsonObject[] {
  const mentions = 'content.m\\.mentions';
  return [
    rule('master', [], [], false),
    rule('suppress_notices', [match('content.msgtype', 'm.notice')]),
    rule(
      'invite_for_me',
      [match('type', 'm.room.member'), match('content.membership', 'invite'), match('state_key', userId)],
      ['notify', sound('default')],
    ),
    rule('member_event', [match('type', 'm.room.member')]),
    rule(
      'is_user_mention',
      [{ kind: 'event_property_contains', key: `${mentions}.user_ids`, value: userId }],
      ['notify', sound('default'), highlight],
    ),
    rule(
      'is_room_mention',
      [
        { kind: 'event_property_is', key: `${mentions}.room`, value: true },
        { kind: 'sender_notification_permission', key: 'room' },
      ],
      ['notify', highlight],
    ),
    rule('tombstone', [match('type', 'm.room.tombstone'), match('state_key', '')], ['notify', highlight]),
    rule('reaction', [match('type', 'm.reaction')]),
    rule('room.server_acl', [match('type', 'm.room.server_acl'), match('state_key', '')]),
    rule('suppress_edits', [
      { kind: 'event_property_is', key: 'content.m\\.relates_to.rel_type', value: 'm.replace' },
    ]),
  ];
}

function underrideRules(): JsonObject[] {
  return [
    rule('call', [match('type', 'm.call.invite')], ['notify', sound('ring')]),
    rule(
      'encrypted_room_one_to_one',
      [twoMembers, match('type', 'm.room.encrypted')],
      ['notify', sound('default')],
    ),
    rule('room_one_to_one', [twoMembers, match('type', 'm.room.message')], ['notify', sound('default')]),
    rule('message', [match('type', 'm.room.message')], ['notify']),
    rule('encrypted', [match('type', 'm.room.encrypted')], ['notify']),
  ];
}
