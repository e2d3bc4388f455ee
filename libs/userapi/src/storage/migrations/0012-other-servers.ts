import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** What devices of this and of other servers tell each other. */
export const otherServers = sqlMigration(async (db) => {
  // When the user's server last told of a change for which the list has to be fetched.
  await sql`ALTER TABLE userapi_remote_device_lists ADD COLUMN told_ts bigint NOT NULL DEFAULT 0`.execute(db);
  // Messages to devices of other servers, until the federation component has taken them over.
  await sql`CREATE TABLE userapi_to_device_outbox (
    -- In userapi_output.
    position bigint NOT NULL,
    number int NOT NULL,
    server_name text NOT NULL,
    message_id text NOT NULL,
    sender text NOT NULL,
    type text NOT NULL,
    messages json NOT NULL,
    PRIMARY KEY (position, number)
  )`.execute(db);
  // Messages of other servers that were received, so that each has its effect once.
  await sql`CREATE TABLE userapi_received_messages (
    server_name text NOT NULL,
    message_id text NOT NULL,
    received_ts bigint NOT NULL,
    PRIMARY KEY (server_name, message_id)
  )`.execute(db);
  await sql`CREATE INDEX userapi_received_messages_ts ON userapi_received_messages (received_ts)`.execute(db);
});
