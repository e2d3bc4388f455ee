import { notFound } from '@seneschal/matrix';

import { resetBackOff } from '../storage/destinations.ts';
import type { FederationDb } from '../storage/tables.ts';

export interface ResetDestinationDeps {
  db: FederationDb;
  /** Called after the commit. */
  wake: () => unknown;
}

/** See the contract. */
export async function resetDestination(
  { db, wake }: ResetDestinationDeps,
  { serverName }: { serverName: string },
): Promise<object> {
  if (!(await resetBackOff(db, serverName))) throw notFound('Nothing was ever sent to this server.');
  void wake();
  return {};
}
