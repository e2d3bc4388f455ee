import type { StepAnswer } from '@seneschal/jobs';
import type { JsonObject } from '@seneschal/matrix';

import { type ExportCursor, exportStart, writeArchivePage } from '../archive/write-page.ts';
import type { RoomserverTables } from '../storage/tables.ts';
import { deletionOf, type PurgeContext, type PurgeDeps } from './purge-deps.ts';

/**
 * Writes a page of the room to its archive. The cursor knows how long the file is, so whoever goes on after a
 * crash cuts off what was written and not saved.
 */
export async function exportForPurge(deps: PurgeDeps, context: PurgeContext): Promise<StepAnswer> {
  const { roomNid, deletionId, purgedTs } = await deletionOf(deps, context);
  if (!context.input.export || purgedTs !== null) return 'done';
  const name = deps.files.nameOf(deletionId);
  const from = (context.cursor ?? exportStart) as unknown as ExportCursor;
  const { cursor } = await writeArchivePage(deps, { roomNid, name }, from);
  await context.commit<RoomserverTables>(async (transaction) => {
    if (cursor !== null) return { cursor: cursor as unknown as JsonObject };
    await transaction
      .updateTable('roomserver_deletions')
      .set({ export_file: name })
      .where('room_nid', '=', roomNid)
      .execute();
    return { result: { export_file: name } };
  });
  return cursor === null ? 'done' : 'again';
}
