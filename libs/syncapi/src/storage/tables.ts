import type { GeneratedAlways } from 'kysely';

import type { Membership } from '@seneschal/contracts';

export interface SyncapiTables {
  syncapi_filters: {
    filter_id: GeneratedAlways<number>;
    user_id: string;
    /** SHA-256 of `filter`. */
    digest: Buffer;
    /** Canonical JSON. */
    filter: string;
    created_ts: number;
  };
  /** Connections of sliding sync. */
  syncapi_connections: {
    connection_id: GeneratedAlways<number>;
    user_id: string;
    device_id: string;
    conn_id: string;
    acked: number;
    issued: number;
    configs: unknown;
    created_ts: number;
    used_ts: number;
  };
  /** What was told of rooms on a connection. */
  syncapi_connection_rooms: {
    connection_id: number;
    room_id: string;
    seq: number;
    membership: Membership;
    is_gone: boolean;
    told_up_to: number;
    timeline_limit: number;
    config: number;
    bump: number;
    is_dm: boolean;
    members: string[];
  };
}
