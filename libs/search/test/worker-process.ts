import { loadConfig } from '@seneschal/config';
import { search } from '@seneschal/contracts';
import { openPlatform } from '@seneschal/service';
import { startComponents } from '@seneschal/worker';

import { openEngines } from '../src/engines/open-engines.ts';
import { liveIndex } from '../src/storage/indexes.ts';
import type { SearchTables } from '../src/storage/tables.ts';
import { untilDone } from './reindexing.ts';

/** A worker with search alone, told by messages what to do; its settings are the argument. */
const settings = JSON.parse(process.argv[2] ?? '{}') as Record<string, string>;
const platform = await openPlatform(loadConfig(undefined, settings), { name: 'test worker' });
await startComponents(platform, ['search']);
const { jobs, database, config } = platform;

process.on('message', (message: { reindex?: true; wait?: string }) => {
  void (message.wait === undefined ? reindex() : wait(message.wait));
});
process.send?.({ started: true });

async function reindex(): Promise<void> {
  const { jobId } = await jobs.start(search.reindex, {}, { requestedBy: '@admin:x' });
  process.send?.({ jobId });
  await untilDone(jobs, jobId, 5000);
  process.send?.({ half: (await jobs.reads.get(jobId))?.done });
}

async function wait(jobId: string): Promise<void> {
  const job = await jobs.wait(jobId, 60_000);
  const live = await liveIndex(database.tables<SearchTables>());
  const engine = live && openEngines(database, config).of(live.engine);
  const documents = live && (await engine?.count(live));
  if (live !== undefined) await engine?.drop(live);
  process.send?.({ state: job?.state, done: job?.done, indexed: job?.result['indexed'], documents });
}
