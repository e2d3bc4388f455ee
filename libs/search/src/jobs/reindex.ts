import type { Kysely, Transaction } from 'kysely';
import { z } from 'zod';

import { type RoomserverForSearch, search } from '@seneschal/contracts';
import { handleJob, type JobHandler, type Step, type StepAnswer, type StepContext } from '@seneschal/jobs';

import { searchableTypeNames } from '../documents/document.ts';
import type { SearchEngine } from '../engines/engine.ts';
import type { Engines } from '../engines/open-engines.ts';
import { indexesIn, insertIndex, lockIndexes, setState, type StoredIndex } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';
import { patiently } from './patiently.ts';
import { ReadAhead, readBatch, type ReadRange } from './read-batch.ts';
import { dropRetired } from './retired.ts';
import { swap } from './swap.ts';
import { Traffic } from './traffic.ts';

export interface ReindexDeps {
  db: Kysely<SearchTables>;
  engines: Engines;
  roomserver: RoomserverForSearch;
}

type Context = StepContext;

/** What the phases tell each other: the index that is built, and what came of it so far. */
export const reindexResult = z.object({
  generation: z.number().default(0),
  startedTs: z.number().default(0),
  indexed: z.number().default(0),
  unreadable: z.number().default(0),
  refused: z.number().default(0),
});

const progressEvery = 1000;

/** Everything is indexed anew, beside the index that is searched. */
export function reindexHandler(deps: ReindexDeps): JobHandler {
  const ahead = new ReadAhead();
  const traffic = new Traffic(deps.roomserver);
  const step = (work: Step<object>): Step<object> => patiently(work);
  return handleJob(search.reindex, {
    prepare: step((context) => prepare(deps, context)),
    read: step((context) => read({ ...deps, ahead, traffic }, context)),
    complete: step((context) => complete(deps, context)),
    swap: step((context) => swap(deps, context)),
    clean: step((context) => clean(deps, context)),
  });
}

/** The index is noted before it is made, so that nothing is made that nobody knows of. */
async function prepare({ db, engines }: ReindexDeps, context: Context): Promise<StepAnswer> {
  const { preferred, language } = engines;
  if (context.cursor === null) {
    await context.commit<SearchTables>(async (transaction) => {
      await lockIndexes(transaction);
      await retireUnfinished(transaction);
      const index = await insertIndex(transaction, { engine: preferred.name, language, state: 'making' });
      return { cursor: index?.generation ?? 0, result: { startedTs: Date.now() } };
    });
    return 'again';
  }
  const [index] = await indexesIn(db, ['making']);
  if (index === undefined) throw new Error('The index that was to be made is gone.');
  await preferred.create(index);
  await context.commit<SearchTables>(async (transaction) => {
    await lockIndexes(transaction);
    await setState(transaction, index, 'building');
    return { result: { generation: index.generation } };
  });
  return 'done';
}

/** What an earlier job has left half made, having been cancelled or having failed. */
async function retireUnfinished(transaction: Transaction<SearchTables>): Promise<void> {
  for (const index of await indexesIn(transaction, ['making', 'building'])) {
    await setState(transaction, index, 'retired');
  }
}

/** The index that the job builds. */
export async function buildingIndex(
  { db, engines }: Pick<ReindexDeps, 'db' | 'engines'>,
  context: Context,
): Promise<{ index: StoredIndex; engine: SearchEngine }> {
  const { generation } = reindexResult.parse(context.result);
  const index = (await indexesIn(db, ['building'])).find((one) => one.generation === generation);
  const engine = index && engines.of(index.engine);
  if (index === undefined || engine === undefined) throw new Error('The index that is built is gone.');
  return { index, engine };
}

interface ReadStepDeps extends ReindexDeps {
  ahead: ReadAhead;
  traffic: Traffic;
}

const readCursor = z.object({ after: z.number(), upTo: z.number() });

/** One batch. Its documents are sent before the cursor moves: a repetition sends them once more, in their place. */
async function read(deps: ReadStepDeps, context: Context): Promise<StepAnswer> {
  const { ahead, traffic } = deps;
  const started = performance.now();
  const { index, engine } = await buildingIndex(deps, context);
  if (context.cursor === null) return startReading(deps, context);
  const range = readCursor.parse(context.cursor);
  const readOn = (from: ReadRange): ReturnType<typeof readBatch> =>
    readBatch(deps, from, traffic.batchSize(engine.loadSize));
  const batch = await ahead.take(context.jobId, range, readOn);
  const next = batch.last === undefined ? undefined : { ...range, after: batch.last };
  if (next !== undefined) ahead.foresee(context.jobId, next, readOn);
  const refused = await engine.load(deps.db as unknown as Kysely<unknown>, index, batch.documents);
  const before = reindexResult.parse(context.result);
  const indexed = before.indexed + batch.indexed - refused.length;
  await context.commit(async () => ({
    ...(next === undefined ? {} : { cursor: next }),
    done: batch.events,
    items: [
      ...batch.unreadable.map((item) => ({ item, state: 'skipped' as const, reason: 'It cannot be read.' })),
      ...refused.map((item) => ({ item, state: 'failed' as const, reason: 'The engine refuses it.' })),
    ],
    result: {
      indexed,
      unreadable: before.unreadable + batch.unreadable.length,
      refused: before.refused + refused.length,
    },
  }));
  logProgress(context, before.indexed, indexed);
  await traffic.giveWay(performance.now() - started, context.signal);
  return next === undefined ? 'done' : 'again';
}

/**
 * Only now is it settled how far is read: every change after it is noted for the index, as the index has been
 * known as one that is being built since before.
 */
async function startReading({ roomserver, traffic }: ReadStepDeps, context: Context): Promise<StepAnswer> {
  await traffic.giveWay(0, context.signal);
  const upTo = await roomserver.position();
  const total = await roomserver.countOfTypes(searchableTypeNames, upTo);
  await context.commit(async () => ({ cursor: { after: 0, upTo }, total }));
  return 'again';
}

function logProgress({ logger }: Context, before: number, now: number): void {
  const first = Math.floor(before / progressEvery) + 1;
  for (let count = first; count * progressEvery <= now; count += 1) {
    logger.info(`Indexed ${count * progressEvery} events so far`);
  }
}

/** What makes it fast to search, and whether it holds what was put in. */
async function complete(deps: ReindexDeps, context: Context): Promise<StepAnswer> {
  const { index, engine } = await buildingIndex(deps, context);
  await engine.complete(index);
  return 'done';
}

/** The index that was searched before is dropped; the last line of the job says what came of it. */
async function clean(deps: ReindexDeps, context: Context): Promise<StepAnswer> {
  await dropRetired(deps);
  const { indexed, startedTs } = reindexResult.parse(context.result);
  const seconds = (Date.now() - startedTs) / 1000;
  await context.commit(async () => ({ result: { seconds } }));
  context.logger.info(`Indexed ${indexed} events in ${seconds.toFixed(2)}s`);
  return 'done';
}
