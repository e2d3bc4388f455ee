import type { GeneratedAlways } from 'kysely';

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
}
