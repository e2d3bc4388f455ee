import type { Kysely } from 'kysely';

import type { RoomserverTables } from '../storage/tables.ts';
import type { ArchiveFiles } from './files.ts';
import { type ArchiveLine, lineOrder } from './lines.ts';
import { type ExportPlace, readLines } from './read-page.ts';

/** How far an export has got: what its file holds up to `bytes`, and where to read on. */
export interface ExportCursor extends ExportPlace {
  bytes: number;
  lines: Record<string, number>;
}

export const exportStart: ExportCursor = { kind: 'room', after: null, bytes: 0, lines: {} };

/** Writes one page of a room to its archive. Answers where to go on, null at the end. */
export async function writeArchivePage(
  deps: { db: Kysely<RoomserverTables>; files: ArchiveFiles },
  archive: { roomNid: number; name: string },
  cursor: ExportCursor,
): Promise<{ cursor: ExportCursor | null; written: number }> {
  const page = await readLines(deps.db, archive.roomNid, cursor);
  const counts = { ...cursor.lines };
  for (const { kind } of page.lines) counts[kind] = (counts[kind] ?? 0) + 1;
  const lines: ArchiveLine[] =
    cursor.kind === 'end' ? [{ kind: 'end', lines: { ...counts, end: 1 } }] : page.lines;
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const bytes = text === '' ? cursor.bytes : await deps.files.append(archive.name, cursor.bytes, text);
  const following = page.next === undefined ? lineOrder[lineOrder.indexOf(cursor.kind) + 1] : cursor.kind;
  return {
    written: lines.length,
    cursor:
      following === undefined ? null : { kind: following, after: page.next ?? null, bytes, lines: counts },
  };
}
