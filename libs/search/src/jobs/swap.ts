import type { Kysely, Transaction } from 'kysely';

import type { StepAnswer, StepContext } from '@seneschal/jobs';

import { lookAt } from '../documents/changes.ts';
import type { SearchEngine } from '../engines/engine.ts';
import { indexesIn, lockIndexes, setPosition, setState, type StoredIndex } from '../storage/indexes.ts';
import { hasRedo, takeRedo } from '../storage/redo.ts';
import type { SearchTables } from '../storage/tables.ts';
import { buildingIndex, type ReindexDeps, reindexResult } from './reindex.ts';

/** What is done at once while the rooms' changes wait: well under a second. */
const redoSize = 1000;

/**
 * Catches up with what changed while the index was built, in parts. The part that leaves nothing also puts the
 * index in the place of the other, in one transaction during which nobody else changes either.
 */
export async function swap(deps: ReindexDeps, context: StepContext): Promise<StepAnswer> {
  if (await isSwapped(deps, context)) return 'done';
  const { index, engine } = await buildingIndex(deps, context);
  if (context.cursor === null) await verify(deps, context, index, engine);
  const progress = { isOver: false };
  await context.commit<SearchTables>(async (transaction) => {
    await lockIndexes(transaction);
    const rooms = await takeRedo(transaction, index, 'room', redoSize);
    for (const roomId of rooms) await engine.removeRoom(untyped(transaction), index, roomId);
    const events = await takeRedo(transaction, index, 'event', redoSize);
    const changes = await lookAt({ db: transaction, roomserver: deps.roomserver }, events);
    await engine.write(untyped(transaction), index, changes);
    progress.isOver = rooms.length < redoSize && events.length < redoSize;
    if (progress.isOver) await takePlace(transaction, index);
    return { cursor: { verified: true } };
  });
  return progress.isOver ? 'done' : 'again';
}

function untyped(transaction: Transaction<SearchTables>): Kysely<unknown> {
  return transaction as unknown as Kysely<unknown>;
}

/** Whether an earlier attempt has got so far before it was broken off. */
async function isSwapped({ db }: ReindexDeps, context: StepContext): Promise<boolean> {
  const { generation } = reindexResult.parse(context.result);
  return (await indexesIn(db, ['live'])).some((index) => index.generation === generation);
}

/** Nothing but what was read is in the index so far, and a purge can only have made it less. */
async function verify(
  { db }: ReindexDeps,
  context: StepContext,
  index: StoredIndex,
  engine: SearchEngine,
): Promise<void> {
  const { indexed } = reindexResult.parse(context.result);
  const isExact = !(await hasRedo(db, index, 'room'));
  const count = await engine.count(index);
  if (isExact ? count === indexed : count <= indexed) return;
  throw new Error(`The index holds ${count} documents instead of ${indexed}.`);
}

async function takePlace(transaction: Transaction<SearchTables>, index: StoredIndex): Promise<void> {
  let position = 0;
  for (const live of await indexesIn(transaction, ['live'])) {
    position = live.position;
    await setState(transaction, live, 'retired');
  }
  await setState(transaction, index, 'live');
  await setPosition(transaction, index, position);
}
