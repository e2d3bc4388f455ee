import type { RoomserverForFederation, UserapiFact, UserapiForFederation } from '@seneschal/contracts';
import { serverNameOf } from '@seneschal/matrix';

import type { EphemeralEdu } from '../storage/edus.ts';

export interface ReceiptEdusDeps {
  /** This server. */
  serverName: string;
  userapi: Pick<UserapiForFederation, 'publicReceipts'>;
  roomserver: Pick<RoomserverForFederation, 'serversIn'>;
}

/**
 * What other servers of a room are told of how far local users have read (server-server API, "Receipts"): public receipts
 * alone. One EDU for each user and thread, so that a later one takes its place while it waits.
 */
export async function receiptEdus(
  deps: ReceiptEdusDeps,
  entries: readonly { position: number; fact: UserapiFact }[],
): Promise<EphemeralEdu[]> {
  const read = entries.flatMap(({ position, fact }) => {
    if (fact.kind !== 'receipts_changed' || !fact.isPublic) return [];
    return serverNameOf(fact.userId) === deps.serverName ? [{ position, roomId: fact.roomId }] : [];
  });
  const servers = await deps.roomserver.serversIn([...new Set(read.map(({ roomId }) => roomId))]);
  const shared = read.filter(({ roomId }) => servers.has(roomId));
  const receipts = await deps.userapi.publicReceipts(shared.map(({ position }) => position));
  return receipts.map(({ roomId, userId, threadId, eventId, ts }) => {
    const data = threadId === null ? { ts } : { ts, thread_id: threadId };
    return {
      type: 'm.receipt',
      subject: JSON.stringify([roomId, userId, threadId]),
      content: { [roomId]: { 'm.read': { [userId]: { event_ids: [eventId], data } } } },
      destinations: servers.get(roomId) ?? [],
    };
  });
}
