import type { Generated, GeneratedAlways, Kysely, Transaction } from 'kysely';

export interface FederationTables {
  federation_server_keys: {
    server_name: string;
    key_id: string;
    /** 32 bytes in unpadded Base64. */
    public_key: string;
    /** Up to when signatures by the key are believed, in ms. */
    valid_until_ts: number;
  };
  federation_key_answers: { server_name: string; valid_until_ts: number; json: string };
  federation_destinations: {
    server_name: string;
    failures: Generated<number>;
    next_try_ts: Generated<number>;
    last_success_ts: number | null;
    last_failure_ts: number | null;
    last_error: string | null;
    claimed_until_ts: Generated<number>;
    lagging_since_ts: number | null;
  };
  federation_outgoing: { position: number; room_id: string; json: string; queued_ts: Generated<number> };
  federation_blocked_servers: {
    server_name: string;
    note: string | null;
    blocked_by: string;
    blocked_ts: number;
  };
  federation_queue: { server_name: string; position: number };
  federation_edus: {
    edu_id: GeneratedAlways<number>;
    type: string;
    subject: string | null;
    json: string;
    queued_ts: Generated<number>;
  };
  federation_edu_queue: { server_name: string; edu_id: number };
  federation_ephemeral: {
    server_name: string;
    type: string;
    subject: string;
    json: string;
    created_ts: number;
  };
}

export type FederationDb = Kysely<FederationTables>;
export type FederationTransaction = Transaction<FederationTables>;
