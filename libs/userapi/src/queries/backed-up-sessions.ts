import type { BackedUpSession } from '@seneschal/contracts';

import { selectSessions, type SessionsRef } from '../storage/key-backups.ts';
import type { UserapiDb } from '../storage/tables.ts';
import { keyBackup } from './key-backups.ts';

/** Sessions of a backup; undefined when there is no such backup. */
export async function backedUpSessions(
  db: UserapiDb,
  sessions: SessionsRef,
): Promise<BackedUpSession[] | undefined> {
  const backup = await keyBackup(db, sessions.userId, sessions.version);
  return backup === undefined ? undefined : selectSessions(db, sessions);
}
