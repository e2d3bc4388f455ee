import type { Kysely } from 'kysely';

import { isFinished, search } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import type { Jobs } from '@seneschal/jobs';

import type { Engines } from '../engines/open-engines.ts';
import { indexesIn, liveIndex, lockIndexes, setState } from '../storage/indexes.ts';
import type { SearchTables } from '../storage/tables.ts';
import { dropRetired } from './retired.ts';

export interface SweepDeps {
  db: Kysely<SearchTables>;
  engines: Engines;
  jobs: Pick<Jobs, 'start' | 'reads'>;
}

const requestedBy = 'search';

/** Has everything, or one room, indexed anew. */
export async function startReindex({ jobs }: Pick<SweepDeps, 'jobs'>, roomId?: string): Promise<void> {
  if (roomId === undefined) await jobs.start(search.reindex, {}, { requestedBy });
  else await jobs.start(search.reindexRoom, { roomId }, { requestedBy });
}

/** Has everything indexed anew when the index that is searched is not in the engine, or language, now configured. */
export async function reindexIfOutdated(deps: SweepDeps): Promise<void> {
  const live = await liveIndex(deps.db);
  const { preferred, language } = deps.engines;
  if (live === undefined) return;
  const isOutdated = live.engine !== preferred.name || live.language !== language;
  if (isOutdated) await startReindex(deps);
}

/** Drops what a job that was cancelled, or failed, has left, and what is no longer searched. */
export async function sweep(deps: SweepDeps): Promise<void> {
  await transact(deps.db, async (transaction) => {
    await lockIndexes(transaction);
    const unfinished = await indexesIn(transaction, ['making', 'building']);
    if (unfinished.length === 0 || (await isReindexing(deps))) return;
    for (const index of unfinished) await setState(transaction, index, 'retired');
  });
  await dropRetired(deps);
}

async function isReindexing({ jobs }: SweepDeps): Promise<boolean> {
  const { rows } = await jobs.reads.list({ kind: search.reindex.name }, { limit: 1 });
  return rows.some((job) => !isFinished(job.state));
}

/** While search is off no index is kept up to date: when it is on again, everything is indexed anew. */
export async function retireAll(deps: Pick<SweepDeps, 'db'>): Promise<void> {
  await transact(deps.db, async (transaction) => {
    await lockIndexes(transaction);
    for (const index of await indexesIn(transaction, ['first', 'live', 'making', 'building'])) {
      await setState(transaction, index, 'retired');
    }
  });
}
