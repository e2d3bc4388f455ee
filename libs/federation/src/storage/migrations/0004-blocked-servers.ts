import { sql } from 'kysely';

import { sqlMigration } from '@seneschal/database';

/** Servers that an administrator has blocked. */
export const blockedServers = sqlMigration(async (db) => {
  await sql`CREATE TABLE federation_blocked_servers (
    -- In small letters: a name with a port, a host at any port, or *. and a domain for all hosts below it.
    server_name text PRIMARY KEY,
    note text,
    blocked_by text NOT NULL,
    blocked_ts bigint NOT NULL
  )`.execute(db);
  // The one rule which entries a server is blocked by: its name, its host, and each domain that the host is below.
  await sql`CREATE FUNCTION federation_block_names(server_name text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY[lower(server_name), host] || ARRAY(
      SELECT '*.' || array_to_string(labels[n:], '.') FROM generate_series(2, cardinality(labels)) AS n
    )
    FROM (SELECT regexp_replace(lower(server_name), ':[0-9]{1,5}$', '') AS host) AS parsed,
      LATERAL (SELECT string_to_array(host, '.') AS labels) AS taken_apart
  $$`.execute(db);
});
