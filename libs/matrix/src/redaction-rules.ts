/** What the redaction algorithm of a room version keeps (room versions, "Redactions"). */
export interface RedactionRules {
  readonly topLevel: ReadonlySet<string>;
  /** Per event type the keys of content that stay; 'all' keeps the whole content. */
  readonly content: Readonly<Record<string, readonly string[] | 'all'>>;
  /** From version 11 `m.room.member` also keeps `third_party_invite.signed`. */
  readonly keepsThirdPartySigned: boolean;
}

const TOP_LEVEL = [
  'event_id',
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'hashes',
  'signatures',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
] as const;

const POWER_LEVELS = [
  'ban',
  'events',
  'events_default',
  'kick',
  'redact',
  'state_default',
  'users',
  'users_default',
] as const;

const WITH_ORIGIN = new Set([...TOP_LEVEL, 'prev_state', 'origin', 'membership']);

/** Versions 6 and 7: `m.room.aliases` is an event like any other. */
export const REDACTION_V6: RedactionRules = {
  topLevel: WITH_ORIGIN,
  content: {
    'm.room.member': ['membership'],
    'm.room.create': ['creator'],
    'm.room.join_rules': ['join_rule'],
    'm.room.power_levels': POWER_LEVELS,
    'm.room.history_visibility': ['history_visibility'],
  },
  keepsThirdPartySigned: false,
};

/** Versions 1 to 5. */
export const REDACTION_V1: RedactionRules = {
  ...REDACTION_V6,
  content: { ...REDACTION_V6.content, 'm.room.aliases': ['aliases'] },
};

/** Version 8: the rooms whose members may join stay. */
export const REDACTION_V8: RedactionRules = {
  ...REDACTION_V6,
  content: { ...REDACTION_V6.content, 'm.room.join_rules': ['join_rule', 'allow'] },
};

/** Versions 9 and 10: who vouched for a join stays. */
export const REDACTION_V9: RedactionRules = {
  ...REDACTION_V8,
  content: { ...REDACTION_V8.content, 'm.room.member': ['membership', 'join_authorised_via_users_server'] },
};

/** Versions 11 and 12. */
export const REDACTION_V11: RedactionRules = {
  topLevel: new Set(TOP_LEVEL),
  content: {
    'm.room.member': ['membership', 'join_authorised_via_users_server'],
    'm.room.create': 'all',
    'm.room.join_rules': ['join_rule', 'allow'],
    'm.room.power_levels': [...POWER_LEVELS, 'invite'],
    'm.room.history_visibility': ['history_visibility'],
    'm.room.redaction': ['redacts'],
  },
  keepsThirdPartySigned: true,
};
