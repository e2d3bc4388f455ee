import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Refresh tokens hold until a time; those of before, and where no time is set, for ever. */
export const refreshTokenExpiry = sqlMigration(async (db) => {
  await sql`ALTER TABLE userapi_devices
    ADD COLUMN refresh_expires_ts bigint,
    ADD COLUMN next_refresh_expires_ts bigint`.execute(db);
  await sql`CREATE INDEX userapi_devices_refresh_expiry ON userapi_devices (refresh_expires_ts)
    WHERE refresh_expires_ts IS NOT NULL`.execute(db);
  await sql`CREATE INDEX userapi_devices_next_refresh_expiry ON userapi_devices (next_refresh_expires_ts)
    WHERE next_refresh_expires_ts IS NOT NULL`.execute(db);
});
