import type { Transaction } from 'kysely';
import { z } from 'zod';

import { search } from '@seneschal/contracts';
import { handleJob, type JobHandler, type StepAnswer, type StepContext } from '@seneschal/jobs';

import { changesOf, lookAt } from '../documents/changes.ts';
import { searchableTypeNames } from '../documents/document.ts';
import { usableIndexes, writeToAll } from '../indexes.ts';
import { lockIndexes } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';
import { patiently } from './patiently.ts';
import type { ReindexDeps } from './reindex.ts';

type Input = z.infer<typeof search.reindexRoom.input>;
type Context = StepContext<Input>;

const pageSize = 500;
const result = z.object({
  indexed: z.number().default(0),
  removed: z.number().default(0),
  startedTs: z.number(),
});
const place = z.number().nullable();

/** One room is indexed anew within the index that is searched. */
export function reindexRoomHandler(deps: ReindexDeps): JobHandler {
  return handleJob(search.reindexRoom, {
    read: patiently((context) => read(deps, context)),
    remove: patiently((context) => remove(deps, context)),
    report: async (context) => {
      const { indexed, startedTs } = result.parse(context.result);
      const seconds = (Date.now() - startedTs) / 1000;
      await context.commit(async () => ({ result: { seconds } }));
      context.logger.info(`Indexed ${indexed} events in ${seconds.toFixed(2)}s`);
      return 'done' as const;
    },
  });
}

/** A page of the room's events. They are read under the lock, so that no newer state is written over. */
async function read({ engines, roomserver }: ReindexDeps, context: Context): Promise<StepAnswer> {
  const { roomId } = context.input;
  const before = result.parse({ startedTs: Date.now(), ...context.result });
  const after = place.parse(context.cursor) ?? 0;
  const progress = { isOver: false };
  await context.commit<SearchTables>(async (transaction) => {
    await lockIndexes(transaction);
    const page = {
      types: searchableTypeNames,
      after,
      upTo: Number.MAX_SAFE_INTEGER,
      limit: pageSize,
      roomId,
    };
    const events = await roomserver.eventsOfTypes(page);
    const changes = await changesOf({ db: transaction, roomserver }, events);
    await writeToAll(transaction, await usableIndexes(transaction, engines), changes, context.logger);
    progress.isOver = events.length < pageSize;
    const own = new Set(events.map((event) => event.eventId));
    const indexed = before.indexed + changes.put.filter((document) => own.has(document.eventId)).length;
    return {
      done: events.length,
      cursor: events.at(-1)?.position ?? after,
      result: { ...before, indexed },
      items: events
        .filter(({ pdu }) => pdu === undefined)
        .map(({ eventId }) => ({ item: eventId, state: 'skipped' as const, reason: 'It cannot be read.' })),
    };
  });
  return progress.isOver ? 'done' : 'again';
}

/** A page of the room's documents: those whose events are gone, or have nothing to be found any more, go. */
async function remove(deps: ReindexDeps, context: Context): Promise<StepAnswer> {
  const before = result.parse(context.result);
  const after = place.parse(context.cursor) ?? 0;
  const progress = { isOver: false };
  await context.commit<SearchTables>(async (transaction) => {
    await lockIndexes(transaction);
    const { last, removed } = await removeStale(deps, transaction, context, after);
    progress.isOver = last === undefined;
    return { cursor: last ?? after, result: { removed: before.removed + removed } };
  });
  return progress.isOver ? 'done' : 'again';
}

async function removeStale(
  { engines, roomserver }: ReindexDeps,
  transaction: Transaction<SearchTables>,
  { input: { roomId }, logger }: Context,
  after: number,
): Promise<{ last: number | undefined; removed: number }> {
  const indexes = await usableIndexes(transaction, engines);
  const live = indexes.find(({ index }) => index.state === 'live');
  if (live === undefined) return { last: undefined, removed: 0 };
  const range = { after, upTo: Infinity, roomId };
  const documents = await live.engine.documentsBetween(live.index, range, pageSize);
  const ids = documents.map((document) => document.eventId);
  const { remove: stale } = await lookAt({ db: transaction, roomserver }, ids);
  await writeToAll(transaction, indexes, { put: [], remove: stale }, logger);
  const isOver = documents.length < pageSize;
  const last = Math.max(...documents.map((document) => document.position));
  return { last: isOver ? undefined : last, removed: stale.length };
}
