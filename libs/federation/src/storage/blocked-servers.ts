import { type RawBuilder, sql } from 'kysely';

import type { BlockedServer } from '@seneschal/contracts';

import type { FederationDb } from './tables.ts';

/** Whether the server of an expression is blocked, as a condition. While nobody is blocked it costs next to nothing. */
export function isBlockedSql(serverName: RawBuilder<string>): RawBuilder<boolean> {
  return sql`(EXISTS (SELECT FROM federation_blocked_servers) AND EXISTS (
    SELECT FROM federation_blocked_servers WHERE server_name = ANY(federation_block_names(${serverName}))
  ))`;
}

/** Asked anew for each request: a block holds in every process from its commit on. */
export async function isBlocked(db: FederationDb, serverName: string): Promise<boolean> {
  const found = await sql<{ is_blocked: boolean }>`
    SELECT ${isBlockedSql(sql`${serverName}::text`)} AS is_blocked
  `.execute(db);
  return found.rows[0]?.is_blocked === true;
}

/** When and by whom it was blocked first stays. */
export async function insertBlock(db: FederationDb, block: BlockedServer): Promise<BlockedServer> {
  const row = await db
    .insertInto('federation_blocked_servers')
    .values({
      server_name: block.serverName,
      note: block.note,
      blocked_by: block.blockedBy,
      blocked_ts: block.blockedTs,
    })
    .onConflict((conflict) => conflict.column('server_name').doUpdateSet({ note: block.note }))
    .returningAll()
    .executeTakeFirstOrThrow();
  return toBlock(row);
}

/** False when there was none. */
export async function deleteBlock(db: FederationDb, serverName: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('federation_blocked_servers')
    .where('server_name', '=', serverName)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Ends the back-off of the servers that an entry blocks. */
export async function resetBlocked(db: FederationDb, entry: string): Promise<void> {
  await sql`
    UPDATE federation_destinations SET failures = 0, next_try_ts = 0
    WHERE failures > 0 AND ${entry} = ANY(federation_block_names(server_name))
      AND EXISTS (SELECT FROM federation_blocked_servers WHERE server_name = ${entry})
  `.execute(db);
}

/** By name. */
export async function selectBlocks(
  db: FederationDb,
  { after = '', limit }: { after?: string | undefined; limit: number },
): Promise<BlockedServer[]> {
  const rows = await db
    .selectFrom('federation_blocked_servers')
    .selectAll()
    .where('server_name', '>', after)
    .orderBy('server_name')
    .limit(limit)
    .execute();
  return rows.map(toBlock);
}

function toBlock(row: {
  server_name: string;
  note: string | null;
  blocked_by: string;
  blocked_ts: number;
}): BlockedServer {
  return {
    serverName: row.server_name,
    note: row.note,
    blockedBy: row.blocked_by,
    blockedTs: row.blocked_ts,
  };
}
