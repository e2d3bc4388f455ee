import { type PrivateRedis, startBus, startPrivateRedis } from '@seneschal/testing';
import type { Redis } from 'ioredis';

import { deliveries, ended, gate, JobStage, queued, requestedBy, upTo, writeNumbers } from './fixture.ts';

type Process = Awaited<ReturnType<JobStage['process']>>;

/** A process that says nothing while it is in a step, as if its event loop were blocked. */
const silent = { timing: { heartbeatMs: 1_000_000_000, reconcileMs: 1_000_000_000 } };

/** One test for each row of the table of BullMQ's pitfalls. */
describe('BullMQ:', () => {
  let stage: JobStage;
  beforeAll(async () => {
    stage = await JobStage.open();
  });
  afterAll(() => stage.stop());

  it('double processing is fenced: a runner that lost its lease stores nothing', async () => {
    const { open, passed } = gate();
    const entered = gate();
    let isFirst = true;
    stage.hooks.set('double', async (context) => {
      if (context.cursor !== 3 || !isFirst) return;
      isFirst = false;
      entered.open();
      await passed;
    });
    const first = await stage.process('worker', silent);
    const { jobId } = await start(first, 'double');
    await entered.passed;
    const second = await stage.process();
    expect(await ended(second.jobs, jobId)).toMatchObject({ state: 'completed', done: 10 });
    open();
    await first.stop();
    expect(await stage.numbers('double')).toEqual(upTo(10));
    expect(await stage.events(jobId)).toEqual(['started', 'taken_over', 'phase', 'completed']);
    await second.stop();
  });

  it('a second stall is no failure: the job goes on from its checkpoint every time', async () => {
    const { open, passed } = gate();
    let stalls = 0;
    let entered = gate();
    stage.hooks.set('stalls', async () => {
      if (stalls >= 3) return;
      stalls += 1;
      entered.open();
      await passed;
    });
    const processes: Process[] = [];
    let jobId = '';
    for (const round of [1, 2, 3]) {
      processes.push(await stage.process('worker', { timing: { ...silent.timing, reconcileMs: 150 } }));
      if (round === 1) ({ jobId } = await start(processes[0] as Process, 'stalls'));
      await entered.passed;
      entered = gate();
    }
    const last = await stage.process();
    expect(await ended(last.jobs, jobId)).toMatchObject({ state: 'completed', attempts: 0, done: 10 });
    open();
    await Promise.all([...processes, last].map((one) => one.stop()));
    expect(await stage.numbers('stalls')).toEqual(upTo(10));
    expect((await stage.events(jobId)).filter((event) => event === 'taken_over')).toHaveLength(3);
  });

  it('job IDs are hashes, whatever the target looks like', async () => {
    const stage = await JobStage.open();
    const gateway = await stage.process('gateway');
    const targets = ['!room:server', '!room:server:8448', '12345', 'a:b:c', '!'];
    const started = await Promise.all(targets.map((target) => start(gateway, target)));
    const keys = await queued(gateway, targets.length);
    expect(keys).toHaveLength(targets.length);
    expect(keys.filter((key) => !/:[0-9a-f]{64}$/.test(key))).toEqual([]);
    const worker = await stage.process();
    for (const { jobId } of started) expect((await ended(worker.jobs, jobId)).state).toBe('completed');
    await stage.stop();
  });

  it('request and reply: a wait ends in time, and tells what the row says', async () => {
    const gateway = await stage.process('gateway');
    const { jobId } = await start(gateway, 'nobody runs it');
    const before = Date.now();
    expect(await gateway.jobs.wait(jobId, 200)).toMatchObject({ state: 'queued' });
    expect(Date.now() - before).toBeLessThan(5000);
    const waiting = gateway.jobs.wait(jobId, 20_000);
    await stage.db.deleteFrom('jobs').where('job_id', '=', jobId).execute();
    expect(await waiting).toBeUndefined();
    await gateway.stop();
  });

  it('events are hints: who waits finds out without them, and the history has them all', async () => {
    const gateway = await stage.process('gateway');
    let untold = 0;
    const worker = await stage.process('worker', {
      prepare: ({ redis }) => {
        redis.publish = () => {
          untold += 1;
          return Promise.resolve(0);
        };
      },
    });
    const { jobId } = await start(gateway, 'untold');
    expect(await ended(gateway.jobs, jobId)).toMatchObject({ state: 'completed', done: 10 });
    expect(untold).toBeGreaterThan(0);
    const events = await gateway.jobs.reads.events(jobId, 0);
    expect(events.map(({ event }) => event)).toEqual(['started', 'phase', 'completed']);
    await Promise.all([worker.stop(), gateway.stop()]);
  });

  it('a Redis that evicts is refused at the start', async () => {
    const redis = await startPrivateRedis({ 'maxmemory-policy': 'allkeys-lru' });
    try {
      await expect(startBus(stage.database.database, { redisUrl: redis.url })).rejects.toThrow('noeviction');
    } finally {
      await redis.stop();
    }
  });

  it('a worker that sleeps in front of a waiting job is woken', async () => {
    const connections: Redis[] = [];
    const asleep = gate();
    const sleep = (): Promise<null> => {
      asleep.open();
      return new Promise(() => undefined);
    };
    const worker = await stage.process('worker', {
      prepare: ({ workers }) => {
        const duplicate = workers.duplicate.bind(workers);
        workers.duplicate = (...options) => {
          const made = duplicate(...options);
          // What BullMQ waits with for the next job: the first one never answers, as after some restarts of Redis.
          if (connections.length === 0) made.bzpopmin = sleep;
          connections.push(made);
          return made;
        };
      },
    });
    await asleep.passed;
    const { jobId } = await start(worker, 'asleep');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed' });
    expect(connections.length).toBeGreaterThan(1);
    await worker.stop();
  });

  it('finished jobs are bounded: Redis keeps none, PostgreSQL those that are young', async () => {
    const stage = await JobStage.open();
    const young = await stage.process();
    const jobs = await Promise.all(upTo(20).map((index) => start(young, `bounded ${index}`)));
    for (const { jobId } of jobs) await ended(young.jobs, jobId);
    expect(await deliveries(young)).toEqual([]);
    await young.stop();
    const ids = jobs.map((job) => job.jobId);
    const old = Date.now() - 2 * 86_400_000;
    await stage.db
      .updateTable('jobs')
      .set({ finished_ts: old })
      .where('job_id', 'in', ids.slice(1))
      .execute();
    const worker = await stage.process();
    const left = async (): Promise<string[]> => {
      const rows = await stage.db.selectFrom('jobs').select('job_id').where('job_id', 'in', ids).execute();
      return rows.map((row) => row.job_id);
    };
    while ((await left()).length > 1) await worker.jobs.settled();
    expect(await left()).toEqual(ids.slice(0, 1));
    expect(await stage.events(ids[1] ?? '')).toEqual([]);
    await stage.stop();
  });

  it('payloads are bounded: an input is refused when it is large, and never stands in Redis', async () => {
    const gateway = await stage.process('gateway');
    const input = (bytes: number) => ({
      target: `large ${bytes}`,
      count: 1,
      perStep: 1,
      padding: 'x'.repeat(bytes),
    });
    await expect(gateway.jobs.start(writeNumbers, input(1024 * 1024), { requestedBy })).rejects.toMatchObject(
      { errcode: 'M_TOO_LARGE' },
    );
    const { jobId } = await gateway.jobs.start(writeNumbers, input(500_000), { requestedBy });
    const [key = ''] = await queued(gateway);
    expect(JSON.stringify(await gateway.bus.redis.hgetall(key)).length).toBeLessThan(1000);
    const worker = await stage.process();
    expect((await ended(worker.jobs, jobId)).state).toBe('completed');
    await Promise.all([worker.stop(), gateway.stop()]);
  });

  it('a shutdown waits for a checkpoint, not for the job, which another worker goes on with', async () => {
    const entered = gate();
    stage.hooks.set('shutdown', (context) => (context.cursor === 3 ? entered.open() : undefined));
    const first = await stage.process();
    const { jobId } = await start(first, 'shutdown', { count: 100_000 });
    await entered.passed;
    const before = Date.now();
    await first.stop();
    expect(Date.now() - before).toBeLessThan(3000);
    const done = (await stage.numbers('shutdown')).length;
    expect(done).toBeLessThan(100_000);
    await stage.db
      .updateTable('jobs')
      .set({ input: { target: 'shutdown', count: done + 5, perStep: 3 } })
      .where('job_id', '=', jobId)
      .execute();
    const second = await stage.process();
    expect(await ended(second.jobs, jobId)).toMatchObject({ state: 'completed', attempts: 0 });
    expect(await stage.numbers('shutdown')).toEqual(upTo(done + 5));
    expect(await stage.events(jobId)).toEqual(['started', 'handed_over', 'phase', 'completed']);
    await second.stop();
  });
});

describe('BullMQ, when Redis', () => {
  let redis: PrivateRedis;
  let stage: JobStage;
  beforeAll(async () => {
    redis = await startPrivateRedis();
    stage = await JobStage.open({ redisUrl: redis.url });
  });
  afterAll(async () => {
    await stage.stop();
    await redis.stop();
  });

  it('has lost its data: what was queued is queued again, what runs goes on', async () => {
    const gateway = await stage.process('gateway');
    const { jobId: waiting } = await start(gateway, 'queued before');
    await queued(gateway);
    await redis.flush();
    const { open, passed } = gate();
    const entered = gate();
    stage.hooks.set('running', async (context) => {
      if (context.cursor !== 3) return;
      entered.open();
      await passed;
    });
    const worker = await stage.process();
    expect((await ended(worker.jobs, waiting)).state).toBe('completed');
    const { jobId: running } = await start(worker, 'running');
    await entered.passed;
    await redis.flush();
    open();
    expect(await ended(worker.jobs, running)).toMatchObject({ state: 'completed', done: 10 });
    expect(await stage.events(running)).toEqual(['started', 'phase', 'completed']);
    expect(await stage.numbers('running')).toEqual(upTo(10));
    await Promise.all([worker.stop(), gateway.stop()]);
  });

  it('is away, a job that runs goes on, and its events and its end are known all the same', async () => {
    const { open, passed } = gate();
    const entered = gate();
    stage.hooks.set('away', async (context) => {
      if (context.cursor !== 3) return;
      entered.open();
      await passed;
    });
    const worker = await stage.process();
    const { jobId } = await start(worker, 'away');
    await entered.passed;
    await redis.kill();
    open();
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', done: 10 });
    expect((await worker.jobs.reads.events(jobId, 0)).map(({ event }) => event)).toEqual([
      'started',
      'phase',
      'completed',
    ]);
    const { jobId: late } = await start(worker, 'started while it is away');
    await redis.start();
    expect(await ended(worker.jobs, late)).toMatchObject({ state: 'completed' });
    await worker.stop();
  });

  it('is full: the job waits in PostgreSQL until the queue takes it', async () => {
    const worker = await stage.process();
    await worker.bus.redis.config('SET', 'maxmemory', '1');
    const { jobId } = await start(worker, 'full');
    expect(await worker.jobs.wait(jobId, 500)).toMatchObject({ state: 'queued' });
    await worker.bus.redis.config('SET', 'maxmemory', '0');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed' });
    await worker.stop();
  });
});

function start(
  { jobs }: Process,
  target: string,
  more: { count?: number } = {},
): Promise<{ jobId: string; isNew: boolean }> {
  return jobs.start(writeNumbers, { target, count: 10, perStep: 3, ...more }, { requestedBy });
}
