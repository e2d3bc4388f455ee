import { sql } from 'kysely';

import { type Migrations, sqlMigration } from '@seneschal/database';

export const webhooksMigrations: Migrations = {
  '0001_webhooks': sqlMigration(async (db) => {
    await sql`CREATE TABLE webhook_deliveries (
      delivery_id text PRIMARY KEY,
      event_id text NOT NULL,
      type text NOT NULL,
      -- As it is sent, byte by byte.
      body text NOT NULL,
      receiver_id text NOT NULL,
      receiver text NOT NULL,
      state text NOT NULL CHECK (state IN ('queued', 'delivered', 'failed')),
      attempts int NOT NULL DEFAULT 0,
      next_try_ts bigint NOT NULL,
      -- Until then somebody is taken to be sending it.
      lease_until bigint NOT NULL DEFAULT 0,
      last_status int,
      last_error text,
      created_ts bigint NOT NULL,
      updated_ts bigint NOT NULL,
      UNIQUE (event_id, receiver_id)
    ) WITH (fillfactor = 80)`.execute(db);
    await sql`CREATE INDEX webhook_deliveries_due ON webhook_deliveries (receiver_id, next_try_ts)
      WHERE state = 'queued'`.execute(db);
    await sql`CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (created_ts, delivery_id)`.execute(
      db,
    );
    await sql`CREATE TABLE webhook_checkpoints (source text PRIMARY KEY, position bigint NOT NULL)`.execute(
      db,
    );
  }),
};
