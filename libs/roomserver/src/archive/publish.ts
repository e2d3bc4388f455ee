import type { Transaction } from 'kysely';

import { badJson } from '@seneschal/matrix';

import type { RoomserverTables } from '../storage/tables.ts';
import type { ArchiveLine, LineOf } from './lines.ts';
import { finishImport, storeAliases, storeMemberships, storeRedactions, storeState } from './store-lines.ts';

type Trx = Transaction<RoomserverTables>;
type Kind = ArchiveLine['kind'];

const batchSize = 1000;

/**
 * Stores what makes a restored room visible — redactions, state, memberships, aliases — from the lines of its
 * archive, and opens it. All in the given transaction, so the room is there as a whole or not at all. Answers
 * the position of the fact.
 */
export async function publishArchive(
  trx: Trx,
  roomNid: number,
  lines: AsyncIterable<string>,
  serverName: string,
): Promise<number> {
  let room: LineOf<'room'> | undefined;
  let batch: ArchiveLine[] = [];
  for await (const text of lines) {
    const line = wanted(text);
    if (line === undefined) continue;
    if (line.kind === 'room') room = line;
    else if (batch.length >= batchSize || (batch[0] !== undefined && batch[0].kind !== line.kind)) {
      await storeBatch(trx, roomNid, batch, serverName);
      batch = [line];
    } else batch.push(line);
  }
  await storeBatch(trx, roomNid, batch, serverName);
  if (room === undefined) throw badJson('The export has lost its first line.');
  return finishImport(trx, roomNid, room);
}

/** Of the events, of which there are many, only those that were redacted are read. */
function wanted(text: string): ArchiveLine | undefined {
  if (text.startsWith('{"kind":"event"') && !text.includes('"redacted_by":')) return undefined;
  const line = JSON.parse(text) as ArchiveLine;
  return line.kind === 'event' && line.redacted_by === undefined ? undefined : line;
}

async function storeBatch(
  trx: Trx,
  roomNid: number,
  batch: readonly ArchiveLine[],
  serverName: string,
): Promise<void> {
  const of = <K extends Kind>(kind: K): LineOf<K>[] =>
    batch.filter((line): line is LineOf<K> => line.kind === kind);
  switch (batch[0]?.kind) {
    case 'event':
      return storeRedactions(trx, roomNid, of('event'));
    case 'state':
      return storeState(trx, roomNid, of('state'));
    case 'membership':
      return storeMemberships(trx, roomNid, of('membership'), serverName);
    case 'alias':
      return storeAliases(trx, roomNid, of('alias'));
    default:
      return undefined;
  }
}
