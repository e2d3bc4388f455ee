import { type RawBuilder, sql } from 'kysely';

import type { UserapiForRoomserver } from '@seneschal/contracts';
import type { Pdu } from '@seneschal/matrix';

import type { InvitePermissionDeps } from '../room/invite-permission.ts';
import type { QueryDeps } from './query-deps.ts';

/** What the reads run on that leave out what is said by users whom the reader ignores. */
export interface ReaderDeps extends QueryDeps {
  userapi: Pick<UserapiForRoomserver, 'ignoredUsers'>;
}

/** Who reads, and whom the reader ignores. */
export interface Reader {
  userId: string;
  ignored: readonly string[];
}

export async function readerOf({ userapi }: ReaderDeps, userId: string): Promise<Reader> {
  return { userId, ignored: await userapi.ignoredUsers(userId) };
}

/** Client-server API, "Ignoring Users": state is told all the same, so that nobody's room looks different. */
export function isIgnored({ ignored }: Reader, { sender, state_key: stateKey }: Pdu): boolean {
  return stateKey === undefined && ignored.includes(sender);
}

/** The same for a query in which `e` is `roomserver_events`; always the same text. */
export function notIgnored({ ignored }: Reader): RawBuilder<boolean> {
  return sql<boolean>`(e.state_key IS NOT NULL OR e.sender <> ALL (${[...ignored]}::text[]))`;
}

/** Who reads, and for a query in which `e` is an invite of the reader: whether it is shown. */
export async function readerOfInvites(
  deps: ReaderDeps & InvitePermissionDeps,
  userId: string,
): Promise<{ reader: Reader; isShown: RawBuilder<boolean> }> {
  const [reader, blocked] = await Promise.all([
    readerOf(deps, userId),
    deps.userapi.invitesBlockedBy([userId]),
  ]);
  const isShown = sql<boolean>`(NOT ${blocked.has(userId)}::boolean AND e.sender <> ALL (${[...reader.ignored]}::text[]))`;
  return { reader, isShown };
}
