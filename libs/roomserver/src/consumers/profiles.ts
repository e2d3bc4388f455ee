import type { Transaction } from 'kysely';

import type { Consumer } from '@seneschal/bus';
import { userapi, type UserapiFact } from '@seneschal/contracts';

import { beginUpdates } from '../storage/profile-updates.ts';
import type { RoomserverTables } from '../storage/tables.ts';

/** Remembers whose rooms have to follow a change of profile, and has somebody begin with them. */
export function profilesConsumer(begin: () => void): Consumer<UserapiFact> {
  return {
    name: 'roomserver-profiles',
    log: userapi.userapiOutput,
    lingerMs: 100,
    apply: async (transaction, entries) => {
      const changes = new Map<string, number>();
      for (const { fact, position } of entries) {
        if (fact.kind === 'profile_changed') changes.set(fact.userId, position);
      }
      await beginUpdates(transaction as unknown as Transaction<RoomserverTables>, changes);
    },
    afterCommit: async (entries) => {
      if (entries.some(({ fact }) => fact.kind === 'profile_changed')) begin();
    },
  };
}
