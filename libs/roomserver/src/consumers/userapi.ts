import type { Transaction } from 'kysely';

import type { Consumer } from '@seneschal/bus';
import { userapi, type UserapiFact } from '@seneschal/contracts';
import type { Logger } from '@seneschal/observability';

export interface UserapiConsumerDeps {
  /** Makes a user leave everything; repeated until it has been done. */
  evacuate(userId: string): Promise<{ failed: readonly { roomId: string; reason: string }[] }>;
  /** Takes a user out of the user directory. */
  unlist(transaction: Transaction<unknown>, userId: string): Promise<void>;
  /** Hides what a user has said from whoever comes later. */
  erase(transaction: Transaction<unknown>, userId: string): Promise<void>;
  logger: Logger;
}

/** A deactivated user leaves all rooms: the fact is in the log, so this happens whatever dies in between. */
export function userapiConsumer(deps: UserapiConsumerDeps): Consumer<UserapiFact> {
  return {
    name: 'roomserver-userapi',
    log: userapi.userapiOutput,
    apply: async (transaction, entries) => {
      for (const { fact } of entries) {
        if (fact.kind !== 'account_deactivated') continue;
        await deps.unlist(transaction, fact.userId);
        if (fact.erase === true) await deps.erase(transaction, fact.userId);
        const { failed } = await deps.evacuate(fact.userId);
        if (failed.length > 0) deps.logger.warn({ userId: fact.userId, failed }, 'rooms could not be left');
      }
    },
  };
}
