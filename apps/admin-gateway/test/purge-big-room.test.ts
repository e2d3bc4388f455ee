import { sql } from 'kysely';

import { fill, numberOf, post, purgePath, rowsOfNumber } from './rooms.ts';
import { Stage } from './stage.ts';

/** What the purge of a room of 50,000 events may take here, where other tests run beside it. On a quiet machine: 2.5 s. */
const budgetMs = 10_000;
/** The longest transaction: others wait for what it has locked. A batch aims at 50 ms on a quiet machine. */
const longestTransactionMs = 5000;

describe('purgeRoom of a big room', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  async function bigRoom(events: number): Promise<{ roomId: string; roomNid: number }> {
    const roomId = await stage.room(stage.user);
    await fill(stage, roomId, events);
    await sql`ANALYZE roomserver_events, roomserver_output`.execute(stage.world.sql);
    return { roomId, roomNid: await numberOf(stage, roomId) };
  }

  async function timeOfPurge(events: number): Promise<number> {
    const { roomId, roomNid } = await bigRoom(events);
    const started = performance.now();
    expect((await post(stage, purgePath(roomId))).status).toBe(200);
    const took = performance.now() - started;
    expect(await rowsOfNumber(stage, roomNid)).toBe(0);
    return took;
  }

  /** The age of the oldest transaction of this server, in ms. */
  async function oldestTransaction(): Promise<number> {
    const { rows } = await sql<{ ms: number }>`
      SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start) * 1000), 0)::float8 AS ms
      FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    `.execute(stage.world.sql);
    return rows[0]?.ms ?? 0;
  }

  it('G6: is no single transaction, can be followed, and who asks again is told of the same job', async () => {
    const { roomId, roomNid } = await bigRoom(100_000);
    const { jobs } = stage.world.homeserver.platform;
    const asked = await post(stage, purgePath(roomId), { Prefer: 'respond-async' });
    const jobId = asked.headers.get('seneschal-job-id') ?? '';
    const again = await post(stage, purgePath(roomId), { Prefer: 'respond-async' });
    expect([again.status, again.headers.get('seneschal-job-id')]).toEqual([202, jobId]);
    const done = new Set<number>();
    let longest = 0;
    for (let job = await jobs.reads.get(jobId); job?.finishedTs === null; job = await jobs.reads.get(jobId)) {
      done.add(job.done);
      longest = Math.max(longest, await oldestTransaction());
    }
    expect(await jobs.reads.get(jobId)).toMatchObject({ state: 'completed', attempts: 0 });
    expect(await rowsOfNumber(stage, roomNid)).toBe(0);
    expect(done.size).toBeGreaterThan(5);
    expect(longest).toBeLessThan(longestTransactionMs);
  }, 60_000);

  it('G7: takes time in proportion to its events, and no more than its budget', async () => {
    const small = await timeOfPurge(5000);
    const big = await timeOfPurge(50_000);
    expect(big).toBeLessThan(budgetMs);
    // Ten times the rows, and a fifth of a second that every purge takes.
    expect(big).toBeLessThan(Math.max(20 * small, 2500));
  }, 60_000);
});
