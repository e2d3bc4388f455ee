import { Jobs } from '@seneschal/jobs';
import { createLogger, Lifecycle } from '@seneschal/observability';
import { startBus, uniqueName, withDatabase } from '@seneschal/testing';
import { sql } from 'kysely';

import { PurgePolicy } from '../src/jobs/purge-policy.ts';

const slotMs = 3_600_000;

describe('the purge policy of several workers', () => {
  const lifecycle = new Lifecycle();
  afterAll(() => lifecycle.stop());

  it('starts one job in each slot of time, whoever looks, and none while the last one runs', async () => {
    const { database } = lifecycle.add(await withDatabase());
    const db = database.tables<unknown>();
    const logger = createLogger('silent');
    let time = 10 * slotMs;
    const prefix = uniqueName();
    const workers = await Promise.all(
      [1, 2, 3].map(async () => {
        const { bus } = lifecycle.add(await startBus(database, { prefix }));
        const options = { bus, database, logger, concurrency: 1, retentionMs: 86_400_000 };
        const jobs = lifecycle.add(await Jobs.open(options));
        const policy = { emptyMs: 86_400_000, everyMs: slotMs, limit: 10, exclude: [], now: () => time };
        return lifecycle.add(new PurgePolicy({ jobs, logger, ...policy }));
      }),
    );
    const look = (): Promise<unknown> =>
      Promise.all(workers.flatMap((worker) => [worker.look(), worker.look()]));
    const started = async (): Promise<number> =>
      (await sql`SELECT FROM jobs WHERE kind = 'purge_rooms'`.execute(db)).rows.length;
    await look();
    expect(await started()).toBe(1);
    time += slotMs;
    await look();
    expect(await started()).toBe(1);
    for (const slot of [2, 3, 4]) {
      await sql`UPDATE jobs SET state = 'completed', finished_ts = 1 WHERE finished_ts IS NULL`.execute(db);
      time += slotMs;
      await look();
      time += slotMs - 1;
      await look();
      time += 1 - slotMs;
      expect(await started()).toBe(slot);
    }
  });
});
