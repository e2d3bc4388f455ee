import type { Generated, GeneratedAlways } from 'kysely';

import type { Membership, ReportKind, ReportStatus } from '@seneschal/contracts';

/** Why clients do not see an event. */
export type HiddenKind = 'outlier' | 'rejected' | 'soft_failed' | 'superseded';

export interface RoomserverTables {
  roomserver_rooms: {
    room_nid: GeneratedAlways<number>;
    room_id: string;
    room_version: string;
    forward_extremities: string[];
    depth: number;
    last_position: number;
    state_position: number;
    joined_members: number;
    invited_members: number;
    is_listed: Generated<boolean>;
    created_ts: number;
    is_closed: Generated<boolean>;
    imported_position: Generated<number>;
    /** False when members have always been allowed to see all of the room's history. */
    may_hide_history: Generated<boolean>;
    /** Whether anybody may join the room, or read it. */
    is_public: Generated<boolean>;
  };
  roomserver_events: {
    position: number;
    room_nid: number;
    event_id: string;
    type: string;
    state_key: string | null;
    sender: string;
    json: string;
    replaces: number | null;
    redacted_by: number | null;
    relates_to: GeneratedAlways<string | null>;
    rel_type: GeneratedAlways<string | null>;
    is_outlier: Generated<boolean>;
  };
  /** Events that clients do not see. */
  roomserver_hidden_events: { event_id: string; room_nid: number; kind: HiddenKind; json: string };
  roomserver_event_states: { event_id: string; room_nid: number; base: number; changes: unknown };
  roomserver_state_overrides: {
    room_nid: number;
    type: string;
    state_key: string;
    position: number;
    event_position: number | null;
  };
  roomserver_room_servers: { room_nid: number; server_name: string; joined_members: number };
  roomserver_invite_states: { room_nid: number; user_id: string; events: unknown };
  /** Everything but m.room.member, which is in `roomserver_memberships`. */
  roomserver_current_state: { room_nid: number; type: string; state_key: string; position: number };
  roomserver_memberships: {
    room_nid: number;
    user_id: string;
    membership: Membership;
    /** Position of the membership event. */
    position: number;
    is_local: boolean;
    is_forgotten: Generated<boolean>;
    /** Position since which the membership is what it is; null where it is that of the event. */
    since: number | null;
  };
  roomserver_aliases: { alias: string; room_nid: number; creator: string; created_ts: number };
  roomserver_transactions: {
    user_id: string;
    device_id: string;
    transaction_id: string;
    room_nid: number;
    event_id: string;
    created_ts: number;
  };
  roomserver_blocked_rooms: { room_id: string; blocked_by: string; created_ts: number };
  roomserver_deletions: {
    room_nid: number;
    room_id: string;
    deletion_id: string;
    requested_by: string;
    created_ts: number;
    purged_ts: number | null;
    purged_position: number | null;
    finished_ts: number | null;
    counts: Generated<Record<string, number>>;
    digest: Generated<string>;
    export_file: string | null;
  };
  roomserver_departures: {
    room_nid: number;
    user_id: string;
    position: number | null;
    seen_by: Generated<string[]>;
    created_ts: number;
  };
  roomserver_directory_users: { user_id: string; displayname: string | null; avatar_url: string | null };
  roomserver_directory_words: { word: string; user_id: string };
  roomserver_erased_users: { user_id: string; position: number };
  roomserver_profile_updates: {
    user_id: string;
    position: number;
    done_up_to: number;
    due_ts: number;
    attempts: number;
  };
  roomserver_notice_rooms: { user_id: string; room_nid: number; created_ts: number };
  roomserver_reports: {
    report_id: GeneratedAlways<number>;
    kind: ReportKind;
    received_ts: number;
    reporter: string;
    reason: string;
    score: number;
    room_id: string | null;
    event_id: string | null;
    sender: string | null;
    event_json: string | null;
    target_user_id: string | null;
    status: Generated<ReportStatus>;
    assignee: string | null;
    note: string | null;
    updated_ts: number | null;
    updated_by: string | null;
  };
  roomserver_output: { position: number; fact: unknown; created_ts: number };
}
