import { isBlocked } from '../storage/blocked-servers.ts';
import type { FederationDb } from '../storage/tables.ts';

export interface BlockList {
  isBlocked(serverName: string): Promise<boolean>;
}

/** The servers that administrators have blocked, as the database has them at this moment. */
export function blockList(db: FederationDb): BlockList {
  return { isBlocked: (serverName) => isBlocked(db, serverName) };
}
