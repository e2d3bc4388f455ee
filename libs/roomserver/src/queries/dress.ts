import type { StoredEvent } from '@seneschal/contracts';

import { addBundles } from './bundles.ts';
import { redactErased } from './erasure.ts';
import { addTransactionIds } from './event-rows.ts';
import type { Reader } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';

/** Makes events what one reader sees of them: with the own transaction IDs and relations, without what was erased. */
export async function dress(
  deps: QueryDeps,
  reader: Reader,
  deviceId: string,
  events: readonly StoredEvent[],
): Promise<void> {
  await Promise.all([
    addTransactionIds(deps, reader.userId, deviceId, events),
    addBundles(deps, reader, events),
  ]);
  await redactErased(deps, reader.userId, events);
}
