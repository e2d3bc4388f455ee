import type { Transaction } from 'kysely';

import type { Consumer } from '@seneschal/bus';
import { roomserver, type RoomserverFact, type UserapiForRoomserver } from '@seneschal/contracts';
import { ownString, serverNameOf } from '@seneschal/matrix';

import { parsePdu } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { type DirectoryUser, newestMemberEvents, upsertDirectory } from '../storage/user-directory.ts';

export interface DirectoryConsumerDeps {
  userapi: Pick<UserapiForRoomserver, 'profiles'>;
  serverName: string;
}

/** So many users are entered with one statement. */
const pageSize = 1000;

/** Enters into the user directory whoever is seen in a room, as they are called now: it follows on from any failure. */
export function directoryConsumer(deps: DirectoryConsumerDeps): Consumer<RoomserverFact> {
  return {
    name: 'roomserver-directory',
    log: roomserver.roomserverOutput,
    lingerMs: 200,
    apply: async (transaction, entries) => {
      const joined = new Set<string>();
      for (const { fact } of entries) {
        if (fact.kind !== 'events_stored') continue;
        for (const { userId, membership } of fact.memberships) if (membership === 'join') joined.add(userId);
      }
      const all = [...joined].sort();
      for (let start = 0; start < all.length; start += pageSize) {
        const db = transaction as unknown as Transaction<RoomserverTables>;
        await enter(db, deps, all.slice(start, start + pageSize));
      }
    },
  };
}

/** Users of this server by their profiles, those of others by what rooms show of them. */
async function enter(
  db: Transaction<RoomserverTables>,
  { userapi, serverName }: DirectoryConsumerDeps,
  userIds: readonly string[],
): Promise<void> {
  const isOurs = (userId: string): boolean => serverNameOf(userId) === serverName;
  const profiles = await userapi.profiles(userIds.filter(isOurs));
  const ours = [...profiles].map(([userId, profile]): DirectoryUser => ({ userId, ...profile }));
  const events = await newestMemberEvents(
    db,
    userIds.filter((userId) => !isOurs(userId)),
  );
  const theirs = [...events].map(([userId, json]): DirectoryUser => {
    const content = parsePdu(json)?.content;
    return { userId, displayname: shown(content, 'displayname'), avatarUrl: shown(content, 'avatar_url') };
  });
  await upsertDirectory(db, [...ours, ...theirs]);
}

/** What other servers let their users be called may hold NUL, which PostgreSQL's text cannot. */
function shown(content: unknown, key: string): string | null {
  return ownString(content, key)?.replaceAll('\0', '') ?? null;
}
