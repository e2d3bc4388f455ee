import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Messages to devices until the device has acknowledged them. One command sends a device one message at most. */
export const toDevice = sqlMigration(async (db) => {
  await sql`CREATE TABLE userapi_to_device (
    user_id text NOT NULL,
    device_id text NOT NULL,
    -- In userapi_output.
    position bigint NOT NULL,
    sender text NOT NULL,
    type text NOT NULL,
    content json NOT NULL,
    PRIMARY KEY (user_id, device_id, position)
  )`.execute(db);
});
