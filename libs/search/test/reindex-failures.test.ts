import { join } from 'node:path';

import { search } from '@seneschal/contracts';
import { startProcess, startPrivateRedis } from '@seneschal/testing';

import { EngineUnavailable, type SearchEngine } from '../src/engines/engine.ts';
import { engineNames, settingsFor } from './engines.ts';
import { meilisearchBinary, startPrivateMeilisearch } from './private-meilisearch.ts';
import { reindexAll, ReindexStage, untilDone } from './reindexing.ts';

/** The engine with some of its loads failing, by their numbers. */
function failingAt(numbers: readonly number[]): (engine: SearchEngine) => SearchEngine {
  let loads = 0;
  return (engine) => ({
    ...engine,
    loadSize: 1000,
    load: (...given) => {
      loads += 1;
      if (numbers.includes(loads)) throw new EngineUnavailable('The engine is away.');
      return engine.load(...given);
    },
  });
}

/** Lets so many pass, and has the others wait until it is opened. */
class Gate {
  #left = Infinity;
  #opened = Promise.resolve();
  #open = (): void => undefined;

  closeAfter(passes: number): void {
    this.#left = passes;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  async pass(): Promise<void> {
    this.#left -= 1;
    if (this.#left < 0) await this.#opened;
  }

  open(): void {
    this.#open();
  }
}

describe.each(engineNames)('a reindex when something fails: %s', (engine) => {
  it('does a batch again that the engine did not take, and passes over none (X2)', async () => {
    const stage = await ReindexStage.open(engine, 4500);
    const { jobs } = await stage.worker(failingAt([2, 3]));
    const job = await reindexAll(jobs);
    expect([job.state, job.result['indexed'], await stage.documents()]).toEqual(['completed', 4500, 4500]);
    await stage.stop();
  });

  it('goes on where it was when its worker is stopped (X4)', async () => {
    const stage = await ReindexStage.open(engine, 6000);
    const first = await stage.worker(failingAt([]));
    const { jobId } = await first.jobs.start(search.reindex, {}, { requestedBy: '@admin:x' });
    await untilDone(first.jobs, jobId, 2000);
    await first.stop();
    const loaded: number[] = [];
    const { jobs } = await stage.worker((real) => ({
      ...failingAt([])(real),
      load: (db, index, documents) => {
        loaded.push(documents.length);
        return real.load(db, index, documents);
      },
    }));
    const job = await jobs.wait(jobId, 30_000);
    expect([job?.state, job?.result['indexed'], await stage.documents()]).toEqual(['completed', 6000, 6000]);
    expect(loaded.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(4000);
    await stage.stop();
  });

  it('can be cancelled, and leaves what is searched as it was', async () => {
    const stage = await ReindexStage.open(engine, 3000);
    const held = new Gate();
    const { jobs } = await stage.worker((real) => ({
      ...failingAt([])(real),
      load: async (...given) => {
        await held.pass();
        return real.load(...given);
      },
    }));
    await reindexAll(jobs);
    held.closeAfter(1);
    const { jobId } = await jobs.start(search.reindex, {}, { requestedBy: '@admin:x' });
    await untilDone(jobs, jobId, 1000);
    await jobs.control(jobId, 'cancel');
    held.open();
    expect((await jobs.wait(jobId, 30_000))?.state).toBe('cancelled');
    expect(await stage.documents()).toBe(3000);
    await stage.stop();
  });

  it('survives SIGKILL of its worker and of Redis, which loses everything (X4)', async () => {
    const redis = await startPrivateRedis();
    const stage = await ReindexStage.open(engine, 20_000);
    const environment = {
      SENESCHAL_DATABASE_URL: stage.database.url,
      SENESCHAL_REDIS_URL: redis.url,
      SENESCHAL_REDIS_PREFIX: stage.prefix,
      SENESCHAL_LOG_LEVEL: 'silent',
      ...settingsFor(engine),
    };
    const file = join(import.meta.dirname, 'worker-process.ts');
    const killed = await startProcess(file, {}, [JSON.stringify(environment)]);
    expect(await killed.next()).toEqual({ started: true });
    killed.send({ reindex: true });
    const { jobId } = (await killed.next()) as { jobId: string };
    const { half } = (await killed.next()) as { half: number };
    expect(half).toBeGreaterThan(0);
    await killed.kill();
    await redis.kill();
    await redis.start();
    const next = await startProcess(file, {}, [JSON.stringify(environment)]);
    expect(await next.next()).toEqual({ started: true });
    next.send({ wait: jobId });
    expect(await next.next()).toMatchObject({
      state: 'completed',
      done: 20_000,
      indexed: 20_000,
      documents: 20_000,
    });
    await next.kill();
    await stage.stop();
    await redis.stop();
  });
});

const withBinary = meilisearchBinary === undefined ? describe.skip : describe;

withBinary('a reindex when Meilisearch is killed', () => {
  it('waits for it, and counts every event once (X2)', async () => {
    const meilisearch = await startPrivateMeilisearch(meilisearchBinary ?? '');
    const stage = await ReindexStage.open('meilisearch', 8000, meilisearch.config);
    const { jobs } = await stage.worker(failingAt([]));
    const { jobId } = await jobs.start(search.reindex, {}, { requestedBy: '@admin:x' });
    await untilDone(jobs, jobId, 3000);
    await meilisearch.kill();
    await jobs.changeAfter(
      jobId,
      (await jobs.reads.get(jobId))?.version ?? 0,
      5000,
      new AbortController().signal,
    );
    await meilisearch.start();
    const job = await jobs.wait(jobId, 60_000);
    expect([job?.state, job?.result['indexed'], await stage.documents()]).toEqual(['completed', 8000, 8000]);
    await stage.stop();
    await meilisearch.stop();
  }, 120_000);
});
