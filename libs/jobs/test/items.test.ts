import { jobKind } from '@seneschal/contracts';
import { z } from 'zod';

import { handleJob, type Item, type StepAnswer, type StepContext } from '../src/index.ts';
import { ended, JobStage, requestedBy } from './fixture.ts';

const greet = jobKind({
  component: 'userapi',
  name: 'greet',
  input: z.object({ names: z.array(z.string()) }),
  target: (input) => input.names.join(),
  phases: ['greet'],
  weight: 'light',
});

const flock = jobKind({
  component: 'userapi',
  name: 'flock',
  input: z.object({ names: z.array(z.string()) }),
  target: () => 'all',
  phases: ['start', 'wait'],
  weight: 'light',
});

const family = jobKind({
  component: 'userapi',
  name: 'family',
  input: z.object({ names: z.array(z.string()) }),
  target: () => 'all',
  phases: ['start', 'gather'],
  weight: 'light',
  keeps: 'all',
});

describe('items and children of a job', () => {
  let stage: JobStage;
  let worker: Awaited<ReturnType<JobStage['process']>>;
  const deaf = new Set<string>();
  const greeted: string[] = [];
  /** Called by a parent between its look at its children and what it makes of it. */
  let looked: (() => Promise<void>) | undefined;

  async function greetAll(context: StepContext<{ names: string[] }>): Promise<'done'> {
    const names = context.isRetry ? await context.itemsToRetry(undefined, 100) : context.input.names;
    const items = names.map((item): Item => {
      if (deaf.has(item)) return { item, state: 'failed', reason: 'did not hear'.repeat(100) };
      if (item === 'nobody') return { item, state: 'skipped', reason: 'is not there' };
      greeted.push(item);
      return { item, state: 'done' };
    });
    await context.commit(async () => ({ items, done: items.length, total: context.input.names.length }));
    return 'done';
  }

  async function startAll(context: StepContext<{ names: string[] }>): Promise<'done'> {
    for (const name of context.input.names) await context.startChild(greet, { names: [name] });
    await context.commit(async () => ({ total: context.input.names.length }));
    return 'done';
  }

  async function waitForAll(context: StepContext<{ names: string[] }>): Promise<'done' | { waitMs: number }> {
    const { unfinished, finished, failed } = await context.children();
    await looked?.();
    await context.commit(async () => ({ result: { finished, failed } }));
    return unfinished > 0 ? { waitMs: 60_000 } : 'done';
  }

  async function gather(context: StepContext<{ names: string[] }>): Promise<StepAnswer> {
    if (context.isRetry && context.cursor === null) {
      await context.retryChildren();
      await context.commit(async () => ({ cursor: 'retried' }));
    }
    const { unfinished } = await context.children();
    const ended = await context.endedChildren(2);
    if (ended.length === 0) return unfinished > 0 ? { waitMs: 60_000 } : 'done';
    const items = ended.map(({ target, state }): Item => {
      return { item: target, state: state === 'completed' ? 'done' : 'failed' };
    });
    await context.commit(async () => ({ items, done: items.length }));
    return 'again';
  }

  beforeAll(async () => {
    stage = await JobStage.open();
    worker = await stage.process('gateway');
    const served = await worker.jobs.serve('userapi', [
      handleJob(greet, { greet: greetAll }),
      handleJob(flock, { start: startAll, wait: waitForAll }),
      handleJob(family, { start: startAll, gather }),
    ]);
    stage.add(served);
  });
  afterAll(() => stage.stop());

  it('names what failed or was skipped, with the reason, and forgets what went well', async () => {
    deaf.add('deaf');
    const names = ['ada', 'deaf', 'nobody'];
    const { jobId } = await worker.jobs.start(greet, { names }, { requestedBy });
    expect(await ended(worker.jobs, jobId)).toMatchObject({
      state: 'partial',
      done: 3,
      failedItems: 1,
      skippedItems: 1,
    });
    const { rows } = await worker.jobs.reads.items(jobId, {}, { limit: 10 });
    expect(rows.map(({ item, state }) => [item, state])).toEqual([
      ['deaf', 'failed'],
      ['nobody', 'skipped'],
    ]);
    expect(rows[0]?.reason).toHaveLength(500);
    expect(await worker.jobs.reads.outcome(jobId)).toEqual({
      done: [],
      failed: [{ item: 'deaf', reason: rows[0]?.reason }],
    });
  });

  it('does what failed again, and nothing else; what a retry does not speak of is skipped', async () => {
    deaf.add('deaf one').add('deaf two');
    const names = ['bea', 'deaf one', 'deaf two'];
    const { jobId } = await worker.jobs.start(greet, { names }, { requestedBy });
    expect((await ended(worker.jobs, jobId)).failedItems).toBe(2);
    deaf.delete('deaf one');
    await worker.jobs.control(jobId, 'retry');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'partial', failedItems: 1, done: 3 });
    expect(greeted.filter((name) => names.includes(name))).toEqual(['bea', 'deaf one']);
    deaf.delete('deaf two');
    await worker.jobs.control(jobId, 'retry');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', failedItems: 0, done: 3 });
    await expect(worker.jobs.control(jobId, 'retry')).rejects.toMatchObject({ errcode: 'M_BAD_STATE' });
  });

  it('waits for children without holding a place, and is woken by the last', async () => {
    deaf.add('deaf child');
    const names = ['one', 'two', 'three', 'deaf child'];
    const { jobId } = await worker.jobs.start(flock, { names }, { requestedBy });
    expect(await ended(worker.jobs, jobId)).toMatchObject({
      state: 'completed',
      result: { finished: 4, failed: 1 },
    });
    const { rows } = await worker.jobs.reads.list({ parentId: jobId }, { limit: 10 });
    expect(rows.map((job) => job.target).sort()).toEqual([...names].sort());
  });

  it('tells once of each child that has ended, and does those again that failed', async () => {
    deaf.add('deaf son').add('deaf daughter');
    const names = ['father', 'mother', 'deaf son', 'deaf daughter'];
    const { jobId } = await worker.jobs.start(family, { names }, { requestedBy });
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'partial', done: 4, failedItems: 2 });
    deaf.delete('deaf son');
    await worker.jobs.control(jobId, 'retry');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'partial', done: 4, failedItems: 1 });
    deaf.delete('deaf daughter');
    await worker.jobs.control(jobId, 'retry');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', done: 4, failedItems: 0 });
    expect(greeted.filter((name) => names.includes(name)).sort()).toEqual([...names].sort());
    const { rows } = await worker.jobs.reads.items(jobId, {}, { limit: 10 });
    expect(rows.map(({ item, state }) => [item, state]).sort()).toEqual(
      names.map((name) => [name, 'done']).sort(),
    );
    const outcome = { done: rows.map(({ item }) => item), failed: [] };
    expect(await worker.jobs.reads.outcome(jobId)).toEqual(outcome);
    expect(await worker.jobs.reads.outcome('unknown')).toEqual({ done: [], failed: [] });
  });

  it('is woken by a child that ended after it had looked, and before it waited', async () => {
    const parent = { jobId: '' };
    looked = async () => {
      looked = undefined;
      for (let left = 1; left > 0;) {
        const { rows } = await worker.jobs.reads.list({ parentId: parent.jobId }, { limit: 10 });
        const running = rows.find(({ finishedTs }) => finishedTs === null);
        left = running === undefined && rows.length > 0 ? 0 : 1;
        if (running !== undefined) await worker.jobs.wait(running.jobId, 5000);
      }
    };
    const { jobId } = await worker.jobs.start(flock, { names: ['late one', 'late two'] }, { requestedBy });
    parent.jobId = jobId;
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', result: { finished: 2 } });
  });

  it('tells how long one item took, for estimates', async () => {
    expect(await worker.jobs.reads.pace('greet')).toEqual(expect.any(Number));
    expect(await worker.jobs.reads.pace('none')).toBeUndefined();
  });
});
