import type { Generated, GeneratedAlways, Kysely, Transaction } from 'kysely';

import type { AccountType, ReceiptType } from '@seneschal/contracts';
import type { CrossSigningUsage, JsonObject } from '@seneschal/matrix';

export interface UserapiTables {
  userapi_accounts: {
    localpart: string;
    server_name: string;
    created_ts: number;
    password_hash: string | null;
    appservice_id: string | null;
    is_deactivated: Generated<boolean>;
    is_locked: Generated<boolean>;
    is_suspended: Generated<boolean>;
    account_type: AccountType;
    user_id: GeneratedAlways<string>;
  };
  userapi_profiles: {
    user_id: string;
    displayname: string | null;
    avatar_url: string | null;
    fields: Generated<JsonObject>;
  };
  userapi_devices: {
    user_id: string;
    device_id: string;
    token_hash: string;
    display_name: string | null;
    created_ts: number;
    expires_ts: number | null;
    refresh_hash: string | null;
    refresh_expires_ts: number | null;
    next_token_hash: string | null;
    next_expires_ts: number | null;
    next_refresh_hash: string | null;
    next_refresh_expires_ts: number | null;
  };
  userapi_openid_tokens: { token_hash: string; user_id: string; device_id: string; expires_ts: number };
  userapi_login_tokens: { token_hash: string; user_id: string; device_id: string; expires_ts: number };
  userapi_connections: {
    user_id: string;
    device_id: string;
    ip: string;
    user_agent: string;
    last_seen: number;
  };
  userapi_account_data: {
    user_id: string;
    room_id: string;
    type: string;
    content: JsonObject;
    position: number;
  };
  userapi_pushers: {
    user_id: string;
    app_id: string;
    pushkey: string;
    device_id: string;
    pusher: JsonObject;
    created_ts: number;
  };
  userapi_device_keys: { user_id: string; device_id: string; keys: string };
  userapi_one_time_keys: {
    user_id: string;
    device_id: string;
    algorithm: string;
    key_id: string;
    key: string;
    ordering: GeneratedAlways<number>;
  };
  userapi_fallback_keys: {
    user_id: string;
    device_id: string;
    algorithm: string;
    key_id: string;
    key: string;
    is_used: Generated<boolean>;
  };
  userapi_cross_signing_keys: {
    user_id: string;
    usage: CrossSigningUsage;
    public_key: string;
    key: string;
  };
  userapi_key_signatures: {
    user_id: string;
    key_id: string;
    signer: string;
    signer_key_id: string;
    signature: string;
  };
  userapi_key_backup_versions: {
    user_id: string;
    version: number;
    algorithm: string;
    auth_data: JsonObject;
    created_ts: number;
    is_deleted: Generated<boolean>;
    etag: Generated<number>;
  };
  userapi_key_backups: {
    user_id: string;
    version: number;
    room_id: string;
    session_id: string;
    first_message_index: number;
    forwarded_count: number;
    is_verified: boolean;
    session_data: JsonObject;
  };
  userapi_receipts: {
    room_id: string;
    user_id: string;
    type: ReceiptType;
    thread_id: string;
    event_id: string;
    event_position: number;
    ts: number;
    position: number;
  };
  userapi_to_device: {
    user_id: string;
    device_id: string;
    position: number;
    sender: string;
    type: string;
    content: JsonObject;
  };
  userapi_to_device_outbox: {
    position: number;
    number: number;
    server_name: string;
    message_id: string;
    sender: string;
    type: string;
    messages: JsonObject;
  };
  userapi_received_messages: { server_name: string; message_id: string; received_ts: number };
  userapi_remote_device_lists: {
    user_id: string;
    server_name: string;
    stream_id: number;
    is_stale: boolean;
    fetched_ts: number;
    attempts: Generated<number>;
    retry_ts: Generated<number>;
    told_ts: Generated<number>;
    error: string | null;
    master_key: string | null;
    self_signing_key: string | null;
  };
  userapi_remote_devices: {
    user_id: string;
    device_id: string;
    keys: string | null;
    display_name: string | null;
  };
  userapi_registration_tokens: {
    token_nid: GeneratedAlways<number>;
    token: string;
    uses_allowed: number | null;
    completed: Generated<number>;
    expiry_ts: number | null;
    created_by: string;
    created_ts: number;
  };
  /** Uses of tokens that registrations under way hold. */
  userapi_registration_holds: { session: string; token_nid: number; expires_ts: number };
  /** Which account was made with which token. */
  userapi_registrations: {
    registration_nid: GeneratedAlways<number>;
    token_nid: number;
    token: string;
    user_id: string;
    created_ts: number;
  };
}

export type UserapiDb = Kysely<UserapiTables>;
export type UserapiTransaction = Transaction<UserapiTables>;
