import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Cross-signing keys in canonical JSON, and the signatures that were added to keys after they were uploaded. */
export const crossSigning = sqlMigration(async (db) => {
  await sql`CREATE TABLE userapi_cross_signing_keys (
    user_id text NOT NULL,
    usage text NOT NULL CHECK (usage IN ('master', 'self_signing', 'user_signing')),
    public_key text NOT NULL,
    key text NOT NULL,
    PRIMARY KEY (user_id, usage)
  )`.execute(db);
  await sql`CREATE TABLE userapi_key_signatures (
    user_id text NOT NULL,
    -- Of what is signed: a device ID, or the public key of a master key.
    key_id text NOT NULL,
    signer text NOT NULL,
    signer_key_id text NOT NULL,
    signature text NOT NULL,
    PRIMARY KEY (user_id, key_id, signer, signer_key_id)
  )`.execute(db);
  await sql`CREATE INDEX userapi_key_signatures_signer ON userapi_key_signatures (signer, signer_key_id)`.execute(
    db,
  );
  // Who has signed another user's key is told of it on all devices, and nobody else is.
  await sql`CREATE INDEX userapi_output_signed ON userapi_output ((fact->>'userId'), position)
    WHERE fact->>'kind' = 'user_signed'`.execute(db);
});
