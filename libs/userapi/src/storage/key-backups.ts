import { type Kysely, sql } from 'kysely';

import type { BackedUpSession } from '@seneschal/contracts';
import { MatrixError, notFound } from '@seneschal/matrix';

import type { UserapiTables, UserapiTransaction } from './tables.ts';

export interface BackupRef {
  userId: string;
  version: string;
}

/** Locks a backup. M_NOT_FOUND without one, M_WRONG_ROOM_KEYS_VERSION when there is a newer one. */
export async function lockBackup(
  trx: UserapiTransaction,
  { userId, version }: BackupRef,
  { newest }: { newest: boolean },
): Promise<void> {
  const locked = await sql<{ version: string }>`
    SELECT version::text AS version FROM userapi_key_backup_versions
    WHERE user_id = ${userId} AND version::text = ${version} AND NOT is_deleted FOR UPDATE
  `.execute(trx);
  if (locked.rows.length === 0) throw notFound('There is no such key backup.');
  if (!newest) return;
  const last = await sql<{ version: string }>`
    SELECT v.version::text AS version FROM userapi_key_backup_versions v
    WHERE user_id = ${userId} AND NOT is_deleted ORDER BY v.version DESC LIMIT 1
  `.execute(trx);
  const current = last.rows[0]?.version ?? version;
  if (current === version) return;
  const error = 'There is a newer key backup.';
  throw new MatrixError(403, 'M_WRONG_ROOM_KEYS_VERSION', error, { current_version: current });
}

/**
 * Adds sessions. Of two of one ID that one stays which is verified, then the one that begins earlier, then the
 * one that was passed on less often (client-server API, "Backup algorithm"). Answers how many rows changed.
 */
export async function upsertSessions(
  trx: UserapiTransaction,
  { userId, version }: BackupRef,
  sessions: readonly BackedUpSession[],
): Promise<number> {
  const changed = await sql`
    INSERT INTO userapi_key_backups AS k (user_id, version, room_id, session_id,
      first_message_index, forwarded_count, is_verified, session_data)
    SELECT ${userId}, ${version}::bigint, n.* FROM unnest(
      ${sessions.map((one) => one.roomId)}::text[], ${sessions.map((one) => one.sessionId)}::text[],
      ${sessions.map((one) => one.firstMessageIndex)}::bigint[],
      ${sessions.map((one) => one.forwardedCount)}::bigint[],
      ${sessions.map((one) => one.isVerified)}::boolean[],
      ${sessions.map((one) => JSON.stringify(one.sessionData))}::json[]
    ) AS n
    ON CONFLICT (user_id, version, room_id, session_id) DO UPDATE SET
      first_message_index = excluded.first_message_index, forwarded_count = excluded.forwarded_count,
      is_verified = excluded.is_verified, session_data = excluded.session_data
    WHERE (excluded.is_verified, -excluded.first_message_index, -excluded.forwarded_count)
      > (k.is_verified, -k.first_message_index, -k.forwarded_count)
  `.execute(trx);
  return Number(changed.numAffectedRows ?? 0n);
}

export interface SessionsRef extends BackupRef {
  /** All rooms when absent. */
  roomId?: string | undefined;
  /** All sessions of the room when absent. */
  sessionId?: string | undefined;
}

export async function removeSessions(trx: UserapiTransaction, sessions: SessionsRef): Promise<number> {
  const deleted = await sql`DELETE FROM userapi_key_backups WHERE ${which(sessions)}`.execute(trx);
  return Number(deleted.numAffectedRows ?? 0n);
}

/** Counts what is in a backup; its etag moves on when something was changed. */
export async function sizeOfBackup(
  trx: UserapiTransaction,
  { userId, version }: BackupRef,
  isChanged: boolean,
): Promise<{ count: number; etag: string }> {
  const result = await sql<{ etag: string; count: number }>`
    UPDATE userapi_key_backup_versions SET etag = etag + ${isChanged ? 1 : 0}::bigint
    WHERE user_id = ${userId} AND version = ${version}::bigint
    RETURNING etag::text AS etag, (
      SELECT count(*) FROM userapi_key_backups WHERE user_id = ${userId} AND version = ${version}::bigint
    ) AS count
  `.execute(trx);
  return result.rows[0] ?? { count: 0, etag: '0' };
}

interface Row {
  room_id: string;
  session_id: string;
  first_message_index: number;
  forwarded_count: number;
  is_verified: boolean;
  session_data: BackedUpSession['sessionData'];
}

export async function selectSessions(
  db: Kysely<UserapiTables>,
  sessions: SessionsRef,
): Promise<BackedUpSession[]> {
  const result = await sql<Row>`
    SELECT room_id, session_id, first_message_index, forwarded_count, is_verified, session_data
    FROM userapi_key_backups WHERE ${which(sessions)}
  `.execute(db);
  return result.rows.map((row) => ({
    roomId: row.room_id,
    sessionId: row.session_id,
    firstMessageIndex: row.first_message_index,
    forwardedCount: row.forwarded_count,
    isVerified: row.is_verified,
    sessionData: row.session_data,
  }));
}

function which({ userId, version, roomId, sessionId }: SessionsRef): ReturnType<typeof sql<boolean>> {
  return sql<boolean>`user_id = ${userId} AND version = ${version}::bigint
    ${roomId === undefined ? sql`` : sql`AND room_id = ${roomId}`}
    ${sessionId === undefined ? sql`` : sql`AND session_id = ${sessionId}`}`;
}
