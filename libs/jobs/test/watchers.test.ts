import { type KyselyPlugin, sql } from 'kysely';

import type { JobTables } from '../src/tables.ts';
import { Watchers } from '../src/watchers.ts';
import { JobStage, requestedBy, writeNumbers } from './fixture.ts';

/** Longer than any test: nobody finds out but by hints. */
const neverMs = 1_000_000;

describe('those who wait for a job', () => {
  let stage: JobStage;

  beforeAll(async () => {
    stage = await JobStage.open();
  });
  afterAll(() => stage.stop());

  it('look at its row for its end when a runner has left it, not at each of its commits', async () => {
    const { bus, jobs } = await stage.process('gateway');
    let looks = 0;
    const counter: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => {
        looks += 1;
        return Promise.resolve(result);
      },
    };
    const looked = async (times: number): Promise<void> => {
      while (looks < times) await sql`SELECT`.execute(stage.db);
    };
    const watchers = new Watchers(bus, stage.database.tables<JobTables>().withPlugin(counter), neverMs);
    stage.add(watchers);
    const input = { target: 'watched', count: 1, perStep: 1 };
    const { jobId } = await jobs.start(writeNumbers, input, { requestedBy });
    let end = '';
    const ended = watchers.next(jobId, 'end', neverMs).then(() => {
      end = 'told';
    });
    await looked(1);
    const changed = watchers.next(jobId, { after: 1 }, neverMs);
    await looked(2);
    while ((await bus.redis.publish(`${bus.prefix}:jobs`, 'another')) < 1);
    await sql`UPDATE jobs SET version = 2, finished_ts = 1 WHERE job_id = ${jobId}`.execute(stage.db);
    watchers.changed(jobId);
    await changed;
    expect({ end, looks }).toEqual({ end: '', looks: 3 });
    watchers.left(jobId);
    await ended;
    expect(end).toBe('told');
  });
});
