import { sql } from 'kysely';

import type { JsonObject } from '@seneschal/matrix';

import { isBlockedSql } from './blocked-servers.ts';
import { unblocked } from './queue.ts';
import type { FederationDb, FederationTransaction } from './tables.ts';

export interface Edu {
  type: string;
  content: JsonObject;
  destinations: readonly string[];
}

/** An EDU that is kept until it has arrived. */
export interface DurableEdu extends Edu {
  /** Whom it is about, where a newer one of the same type makes older ones needless; else null. */
  subject: string | null;
}

/**
 * Queues EDUs, each for those of its servers that are not blocked, in the order given. Of more than `mostOfSubject` of one type and subject that wait
 * for a server, the newest alone is kept.
 */
export async function enqueueEdus(
  trx: FederationTransaction,
  edus: readonly DurableEdu[],
  mostOfSubject = 1,
): Promise<void> {
  const open = await unblocked(trx, new Set(serversOf(edus)));
  const sent = edus
    .map((edu) => ({ ...edu, destinations: edu.destinations.filter((name) => open.has(name)) }))
    .filter(({ destinations }) => destinations.length > 0);
  if (sent.length === 0) return;
  const servers = serversOf(sent);
  await sql`
    INSERT INTO federation_destinations (server_name) SELECT unnest(${servers}::text[]) ON CONFLICT DO NOTHING
  `.execute(trx);
  const ids = await insertTexts(trx, sent);
  const rows = sent.flatMap(({ destinations }, index) =>
    destinations.map((server) => ({ server, eduId: ids[index] ?? 0 })),
  );
  await sql`
    INSERT INTO federation_edu_queue (server_name, edu_id)
    SELECT * FROM unnest(${rows.map((row) => row.server)}::text[], ${rows.map((row) => row.eduId)}::bigint[])
  `.execute(trx);
  const subjects = [...new Set(sent.flatMap(({ subject }) => subject ?? []))];
  if (subjects.length > 0) await collapse(trx, servers, subjects, mostOfSubject);
}

/** Their IDs grow in the order given. */
async function insertTexts(trx: FederationTransaction, edus: readonly DurableEdu[]): Promise<number[]> {
  const result = await sql<{ edu_id: number }>`
    INSERT INTO federation_edus (type, subject, json)
    SELECT n.type, n.subject, n.json FROM unnest(
      ${edus.map((edu) => edu.type)}::text[], ${edus.map((edu) => edu.subject)}::text[], ${edus.map(textOf)}::text[]
    ) WITH ORDINALITY AS n (type, subject, json, number) ORDER BY n.number
    RETURNING edu_id
  `.execute(trx);
  return result.rows.map((row) => row.edu_id).sort((a, b) => a - b);
}

async function collapse(
  trx: FederationTransaction,
  servers: readonly string[],
  subjects: readonly string[],
  most: number,
): Promise<void> {
  const removed = await sql<{ edu_id: number }>`
    DELETE FROM federation_edu_queue d USING (
      SELECT q.server_name, q.edu_id,
        max(q.edu_id) OVER waiting AS newest, count(*) OVER waiting AS waiting
      FROM federation_edus e JOIN federation_edu_queue q USING (edu_id)
      WHERE e.subject = ANY(${subjects}::text[]) AND q.server_name = ANY(${servers}::text[])
      WINDOW waiting AS (PARTITION BY q.server_name, e.type, e.subject)
    ) AS p
    WHERE d.server_name = p.server_name AND d.edu_id = p.edu_id AND p.waiting > ${most} AND p.edu_id < p.newest
    RETURNING d.edu_id
  `.execute(trx);
  await removeUnqueued(
    trx,
    removed.rows.map((row) => row.edu_id),
  );
}

export interface WaitingEdu {
  eduId: number;
  json: string;
}

/** The next durable EDUs for a server, in order. */
export async function nextEdus(db: FederationDb, serverName: string, limit: number): Promise<WaitingEdu[]> {
  const result = await sql<WaitingEdu>`
    SELECT q.edu_id AS "eduId", e.json FROM federation_edu_queue q JOIN federation_edus e USING (edu_id)
    WHERE q.server_name = ${serverName} ORDER BY q.edu_id LIMIT ${limit}
  `.execute(db);
  return result.rows;
}

/** Forgets what a server has, and the texts that no other one waits for. */
export async function removeDelivered(
  db: FederationDb,
  serverName: string,
  eduIds: readonly number[],
): Promise<void> {
  if (eduIds.length === 0) return;
  await sql`DELETE FROM federation_edu_queue
    WHERE server_name = ${serverName} AND edu_id = ANY(${[...eduIds]}::bigint[])`.execute(db);
  await removeUnqueued(db, eduIds);
}

/** Forgets those of the EDUs that no server waits for. */
export async function removeUnqueued(db: FederationDb, eduIds: readonly number[]): Promise<void> {
  if (eduIds.length === 0) return;
  await sql`
    DELETE FROM federation_edus e WHERE edu_id = ANY(${[...eduIds]}::bigint[])
      AND NOT EXISTS (SELECT FROM federation_edu_queue q WHERE q.edu_id = e.edu_id)
  `.execute(db);
}

/** An EDU that nobody misses for long. A newer one of the same type and subject takes its place. */
export interface EphemeralEdu extends Edu {
  subject: string;
}

/** Ephemeral EDUs that wait for one server at the most; what comes on top is dropped. */
const mostEphemeral = 1000;

/** Queues EDUs for those of their servers that answer. */
export async function enqueueEphemeral(db: FederationDb, edus: readonly EphemeralEdu[]): Promise<void> {
  // Of one subject the last one counts; the same row cannot be written twice in one statement.
  const last = new Map(edus.map((edu) => [`${edu.type}\0${edu.subject}`, edu]));
  const rows = [...last.values()].flatMap((edu) => {
    const json = textOf(edu);
    return edu.destinations.map((server) => ({ server, type: edu.type, subject: edu.subject, json }));
  });
  if (rows.length === 0) return;
  await sql`
    INSERT INTO federation_destinations (server_name) SELECT unnest(${serversOf([...last.values()])}::text[])
    ON CONFLICT DO NOTHING
  `.execute(db);
  await sql`
    INSERT INTO federation_ephemeral (server_name, type, subject, json, created_ts)
    SELECT n.server_name, n.type, n.subject, n.json, ${Date.now()}::bigint FROM unnest(
      ${rows.map((row) => row.server)}::text[], ${rows.map((row) => row.type)}::text[],
      ${rows.map((row) => row.subject)}::text[], ${rows.map((row) => row.json)}::text[]
    ) AS n (server_name, type, subject, json) JOIN federation_destinations d USING (server_name)
    WHERE d.failures = 0 AND NOT ${isBlockedSql(sql`d.server_name`)} AND ${mostEphemeral} > (
      SELECT count(*) FROM (SELECT FROM federation_ephemeral e
        WHERE e.server_name = n.server_name LIMIT ${mostEphemeral}) AS waiting
    )
    ORDER BY n.server_name, n.type, n.subject
    ON CONFLICT (server_name, type, subject) DO UPDATE
      SET json = excluded.json, created_ts = excluded.created_ts
  `.execute(db);
}

/** Takes ephemeral EDUs for a server out of the queue: who takes them sends them at once or not at all. */
export async function takeEphemeral(db: FederationDb, serverName: string, limit: number): Promise<string[]> {
  const result = await sql<{ json: string; created_ts: number }>`
    DELETE FROM federation_ephemeral e USING (
      SELECT type, subject FROM federation_ephemeral WHERE server_name = ${serverName}
      ORDER BY created_ts LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ) AS taken
    WHERE e.server_name = ${serverName} AND e.type = taken.type AND e.subject = taken.subject
    RETURNING e.json, e.created_ts
  `.execute(db);
  return result.rows.sort((a, b) => a.created_ts - b.created_ts).map((row) => row.json);
}

/** Nothing ephemeral waits for a server that does not answer. */
export async function dropEphemeral(db: FederationDb, serverName: string): Promise<void> {
  await db.deleteFrom('federation_ephemeral').where('server_name', '=', serverName).execute();
}

/** Drops what is queued for blocked servers, up to so many durable EDUs; true when more may be left. */
export async function dropBlockedEdus(db: FederationDb, limit: number): Promise<boolean> {
  await sql`DELETE FROM federation_ephemeral e USING federation_destinations d
    WHERE e.server_name = d.server_name AND ${isBlockedSql(sql`d.server_name`)}`.execute(db);
  const dropped = await sql<{ edu_id: number }>`
    DELETE FROM federation_edu_queue q USING (
      SELECT p.server_name, p.edu_id FROM federation_destinations d JOIN federation_edu_queue p USING (server_name)
      WHERE ${isBlockedSql(sql`d.server_name`)} LIMIT ${limit}
    ) AS chosen
    WHERE q.server_name = chosen.server_name AND q.edu_id = chosen.edu_id RETURNING q.edu_id
  `.execute(db);
  await removeUnqueued(
    db,
    dropped.rows.map((row) => row.edu_id),
  );
  return dropped.rows.length === limit;
}

function textOf({ type, content }: Edu): string {
  return JSON.stringify({ edu_type: type, content });
}

/** Sorted, so that two transactions wait for each other's rows in one order. */
function serversOf(edus: readonly Edu[]): string[] {
  return [...new Set(edus.flatMap(({ destinations }) => destinations))].sort();
}
