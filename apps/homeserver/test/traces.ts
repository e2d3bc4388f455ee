import { connectRedis } from '@seneschal/bus';
import { createLogger } from '@seneschal/observability';
import { sql, type Kysely } from 'kysely';

/**
 * Tables that may name a room which was purged, each with the reason. Every other table must be empty of it:
 * what a new table holds of rooms is either deleted with them, or has its reason here.
 */
export const mayRemain: Readonly<Record<string, string>> = {
  roomserver_deletions: 'the record of the deletion',
  roomserver_departures: 'for devices that do not know yet that the room is gone; forgotten with time',
  roomserver_blocked_rooms: 'a block is asked for and outlives the room',
  federation_outgoing: 'what is on its way to other servers, leaves above all; gone when it is delivered',
  federation_edus: 'what is on its way to other servers: messages to devices may name a room',
  federation_ephemeral:
    'the same: receipts and typing; gone when they are sent or the server does not answer',
  jobs: 'the job that deleted the room, for as long as jobs are kept',
  job_items: 'the same',
  job_events: 'the same',
  webhook_deliveries: 'what webhooks tell of jobs and calls, for as long as jobs are kept',
  audit_log: 'who asked for what',
  audit_pending: 'the same, for the moment that the call takes',
};

/** Rows that may remain in a table of which the rest must be empty, as an SQL condition on them. */
const mayRemainWhere: Readonly<Record<string, string>> = {
  roomserver_output: `fact->>'kind' = 'room_purged'`,
};

/**
 * Tables with a column that by its name or type could hold something of a room, and into which using a room
 * puts nothing: with the reason. For all others the test insists on rows of the room before the purge, so that
 * it means something that there are none afterwards.
 */
export const neverOfARoom: Readonly<Record<string, string>> = {
  search_redo: 'only while an index is being built',
};

interface Column {
  table: string;
  column: string;
  type: string;
}

const keyNames = /(^|_)(rooms?|events?|alias|edit|target)(_|$)|^(redacts|replaces)$/;

/** The tables that by their columns could hold something of a room, from the catalogue of the database. */
export async function roomTables(db: Kysely<unknown>): Promise<string[]> {
  const columns = await sql<Column>`
    SELECT c.table_name AS table, c.column_name AS column, c.data_type AS type
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1, 2
  `.execute(db);
  const suspicious = columns.rows.filter(({ column }) => keyNames.test(column));
  return [...new Set(suspicious.map(({ table }) => table))];
}

export async function allTables(db: Kysely<unknown>): Promise<string[]> {
  const tables = await sql<{ table: string }>`
    SELECT table_name AS table FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1
  `.execute(db);
  return tables.rows.map(({ table }) => table);
}

/** By what a room is known: its ID, its number, the IDs of its events, its aliases. */
export interface RoomNames {
  nid: number;
  texts: string[];
}

export async function namesOf(db: Kysely<unknown>, roomId: string): Promise<RoomNames> {
  const found = await sql<{ nid: number; name: string }>`
    SELECT room_nid AS nid, event_id AS name FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId}
    UNION ALL SELECT room_nid, alias FROM roomserver_aliases JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId}
  `.execute(db);
  return { nid: found.rows[0]?.nid ?? 0, texts: [roomId, ...found.rows.map(({ name }) => name)] };
}

/** How many rows of a table name the room in any column, whatever the column is called. */
export async function rowsNaming(
  db: Kysely<unknown>,
  table: string,
  names: RoomNames,
  except = mayRemainWhere[table],
): Promise<number> {
  const byNumber = await sql`
    SELECT FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = ${table} AND column_name = 'room_nid'
  `.execute(db);
  const number = byNumber.rows.length > 0 ? sql`OR t.room_nid = ${names.nid}` : sql``;
  const counted = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ${sql.id(table)} AS t
    WHERE (EXISTS (SELECT FROM unnest(${names.texts}::text[]) AS name WHERE strpos(t::text, name) > 0) ${number})
      ${except === undefined ? sql`` : sql`AND NOT (${sql.raw(except)})`}
  `.execute(db);
  return counted.rows[0]?.count ?? 0;
}

/** The keys in Redis, of any type, that name the room: queues, their events, whatever else there is. */
export async function keysNaming(
  redis: { url: string; prefix: string },
  names: RoomNames,
): Promise<string[]> {
  const connection = connectRedis(redis.url, 'bounded', createLogger('silent'));
  const found: string[] = [];
  try {
    for (const key of await connection.keys(`${redis.prefix}:*`)) {
      const content = JSON.stringify(await contentOf(connection, key));
      if (names.texts.some((name) => content.includes(JSON.stringify(name).slice(1, -1)))) found.push(key);
    }
  } finally {
    connection.disconnect();
  }
  return found;
}

async function contentOf(connection: ReturnType<typeof connectRedis>, key: string): Promise<object | string> {
  switch (await connection.type(key)) {
    case 'hash':
      return connection.hgetall(key);
    case 'list':
      return connection.lrange(key, 0, -1);
    case 'set':
      return connection.smembers(key);
    case 'zset':
      return connection.zrange(key, '0', '-1');
    case 'stream':
      return connection.xrange(key, '-', '+');
    default:
      return (await connection.get(key)) ?? '';
  }
}
