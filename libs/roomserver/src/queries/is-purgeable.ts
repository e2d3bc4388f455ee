import { unfinishedDeletion } from '../storage/deletions.ts';
import { roomNidOf } from '../storage/rooms.ts';
import type { QueryDeps } from './query-deps.ts';

/** Also true for a room that is gone while rows of it are left: asking again finishes its deletion. */
export async function isPurgeable(deps: Pick<QueryDeps, 'db'>, roomId: string): Promise<boolean> {
  if ((await roomNidOf(deps.db, roomId)) !== undefined) return true;
  return (await unfinishedDeletion(deps.db, roomId)) !== undefined;
}
