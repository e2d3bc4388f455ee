import type { Transaction } from 'kysely';

import type { Consumer } from '@seneschal/bus';
import { userapi, type UserapiFact } from '@seneschal/contracts';
import type { Logger } from '@seneschal/observability';

import { insertErasedUser } from '../storage/erased-users.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { removeFromDirectory } from '../storage/user-directory.ts';

export interface UserapiConsumerDeps {
  /** Makes a user leave everything; repeated until it has been done. */
  evacuate(userId: string): Promise<{ failed: readonly { roomId: string; reason: string }[] }>;
  logger: Logger;
}

/**
 * A deactivated user leaves all rooms and is no longer found by name; what an erased one has said is hidden from whoever
 * comes later. The fact is in the log, so this happens whatever dies in between.
 */
export function userapiConsumer(deps: UserapiConsumerDeps): Consumer<UserapiFact> {
  return {
    name: 'roomserver-userapi',
    log: userapi.userapiOutput,
    apply: async (transaction, entries) => {
      const db = transaction as unknown as Transaction<RoomserverTables>;
      for (const { fact } of entries) {
        if (fact.kind !== 'account_deactivated') continue;
        await removeFromDirectory(db, fact.userId);
        if (fact.erase === true) await insertErasedUser(db, fact.userId);
        const { failed } = await deps.evacuate(fact.userId);
        if (failed.length > 0) deps.logger.warn({ userId: fact.userId, failed }, 'rooms could not be left');
      }
    },
  };
}
