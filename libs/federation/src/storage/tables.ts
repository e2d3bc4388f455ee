import type { Kysely } from 'kysely';

export interface FederationTables {
  federation_server_keys: {
    server_name: string;
    key_id: string;
    /** 32 bytes in unpadded Base64. */
    public_key: string;
    /** Up to when signatures by the key are believed, in ms. */
    valid_until_ts: number;
  };
}

export type FederationDb = Kysely<FederationTables>;
