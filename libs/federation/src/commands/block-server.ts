import type { BlockedServer } from '@seneschal/contracts';
import { notFound } from '@seneschal/matrix';

import { deleteBlock, insertBlock, resetBlocked } from '../storage/blocked-servers.ts';
import { dropBlockedEdus } from '../storage/edus.ts';
import { dropQueued } from '../storage/queue.ts';
import type { FederationDb } from '../storage/tables.ts';

/** Events, or EDUs, that are dropped in one transaction. */
const pageSize = 10_000;

/**
 * The block comes first: what a crash leaves in the queue is not sent, and the next block drops it. Nothing more is queued
 * from then on, see `enqueue`.
 */
export async function blockServer(
  { db }: { db: FederationDb },
  input: { serverName: string; note: string | null; blockedBy: string },
): Promise<BlockedServer> {
  const block = await insertBlock(db, { ...input, blockedTs: Date.now() });
  while (await db.transaction().execute((transaction) => dropQueued(transaction, pageSize)));
  while (await db.transaction().execute((transaction) => dropBlockedEdus(transaction, pageSize)));
  return block;
}

/**
 * What the server missed meanwhile it fetches itself when the next event refers to it. A delivery that the block cut off
 * counts as a failure: that is no reason to wait any longer.
 */
export async function unblockServer(
  { db }: { db: FederationDb },
  { serverName }: { serverName: string },
): Promise<object> {
  const isFound = await db.transaction().execute(async (transaction) => {
    await resetBlocked(transaction, serverName);
    return deleteBlock(transaction, serverName);
  });
  if (!isFound) throw notFound('This server is not on the block list.');
  return {};
}
