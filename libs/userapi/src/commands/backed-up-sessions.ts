import type { z } from 'zod';

import type { userapi } from '@seneschal/contracts';
import { transact } from '@seneschal/database';

import { lockBackup, removeSessions, sizeOfBackup, upsertSessions } from '../storage/key-backups.ts';
import type { UserapiDb } from '../storage/tables.ts';

type Store = z.infer<typeof userapi.storeBackedUpSessions.input>;
type Delete = z.infer<typeof userapi.deleteBackedUpSessions.input>;
type Size = z.infer<typeof userapi.storeBackedUpSessions.output>;

interface Deps {
  db: UserapiDb;
}

/** Stores sessions in the newest backup; the same again changes nothing. */
export function storeBackedUpSessions(deps: Deps, { sessions, ...backup }: Store): Promise<Size> {
  return transact(deps.db, async (trx) => {
    await lockBackup(trx, backup, { newest: true });
    const changed = sessions.length === 0 ? 0 : await upsertSessions(trx, backup, sessions);
    return sizeOfBackup(trx, backup, changed > 0);
  });
}

/** Deletes sessions of a backup, whichever it is; those that are not there are no error. */
export function deleteBackedUpSessions(deps: Deps, input: Delete): Promise<Size> {
  return transact(deps.db, async (trx) => {
    await lockBackup(trx, input, { newest: false });
    return sizeOfBackup(trx, input, (await removeSessions(trx, input)) > 0);
  });
}
