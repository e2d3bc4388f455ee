import { sql } from 'kysely';

import { MatrixError } from '@seneschal/matrix';
import { createLogger, currentTraceId, withTrace } from '@seneschal/observability';

import { ended, gate, JobStage, requestedBy, upTo, writeNumbers } from './fixture.ts';

describe('a job', () => {
  let stage: JobStage;
  let worker: Awaited<ReturnType<JobStage['process']>>;
  beforeAll(async () => {
    stage = await JobStage.open();
    worker = await stage.process();
  });
  afterAll(() => stage.stop());

  const start = (target: string, more: { count?: number; perStep?: number } = {}, idempotencyKey?: string) =>
    worker.jobs.start(
      writeNumbers,
      { target, count: 10, perStep: 3, ...more },
      { requestedBy, idempotencyKey },
    );

  it('runs its phases step by step, and its row says how it went', async () => {
    const { jobId, isNew } = await start('plain');
    expect(isNew).toBe(true);
    expect(await ended(worker.jobs, jobId)).toMatchObject({
      kind: 'write_numbers',
      target: 'plain',
      state: 'completed',
      phase: 'check',
      done: 10,
      total: 10,
      failedItems: 0,
      result: { checked: true },
      requestedBy,
      lastError: null,
      itemsPerSecond: expect.any(Number) as number,
    });
    expect(await stage.numbers('plain')).toEqual(upTo(10));
    expect(await stage.events(jobId)).toEqual(['started', 'phase', 'completed']);
  });

  it('carries the trace of the request that started it into its log lines and calls', async () => {
    const lines: string[] = [];
    const logger = createLogger('info', { write: (line) => void lines.push(line) });
    const own = await JobStage.open({ logger });
    const seen: string[] = [];
    const process = await own.process();
    own.hooks.set('traced', ({ logger: stepLogger }) => {
      seen.push(currentTraceId());
      stepLogger.info('a line of a step');
    });
    const input = { target: 'traced', count: 6, perStep: 3 };
    const { jobId } = await withTrace('trace-1', () =>
      process.jobs.start(writeNumbers, input, { requestedBy }),
    );
    await ended(process.jobs, jobId);
    await own.stop();
    expect(seen).toEqual(['trace-1', 'trace-1']);
    const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const steps = logged.filter(({ msg }) => msg === 'a line of a step');
    expect(steps.map(({ traceId }) => traceId)).toEqual(['trace-1', 'trace-1']);
    expect(steps[0]).toMatchObject({ jobId });
  });

  it('of the same kind and target is one while it is under way, and a new one afterwards', async () => {
    const { open, passed } = gate();
    stage.hooks.set('twice', () => passed);
    const [first, second] = await Promise.all([start('twice'), start('twice')]);
    expect(first.jobId).toBe(second.jobId);
    expect([first.isNew, second.isNew].sort()).toEqual([false, true]);
    open();
    await ended(worker.jobs, first.jobId);
    const third = await start('twice');
    expect(third).toMatchObject({ isNew: true });
    await ended(worker.jobs, third.jobId);
    expect(await stage.numbers('twice')).toEqual(upTo(10).flatMap((number) => [number, number]));
  });

  it('with a known Idempotency-Key is the one of before, also when that has ended', async () => {
    const first = await start('keyed', {}, 'key');
    await ended(worker.jobs, first.jobId);
    expect(await start('keyed', {}, 'key')).toEqual({ jobId: first.jobId, isNew: false });
    await expect(start('elsewhere', {}, 'key')).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
    const other = await worker.jobs.start(
      writeNumbers,
      { target: 'keyed', count: 1, perStep: 1 },
      { requestedBy: '@other:test.example', idempotencyKey: 'key' },
    );
    expect(other.isNew).toBe(true);
    await ended(worker.jobs, other.jobId);
  });

  it('is cancelled between two steps, and what was committed stays', async () => {
    const { open, passed } = gate();
    stage.hooks.set('cancelled', (context) => (context.cursor === 3 ? passed : undefined));
    const { jobId } = await start('cancelled');
    await seen(jobId, 3);
    expect(await worker.jobs.control(jobId, 'cancel')).toMatchObject({ state: 'cancelling' });
    open();
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'cancelled', done: 6 });
    expect(await stage.numbers('cancelled')).toEqual(upTo(6));
    expect(await worker.jobs.control(jobId, 'cancel')).toMatchObject({ state: 'cancelled' });
    for (const action of ['pause', 'resume', 'retry'] as const) {
      await expect(worker.jobs.control(jobId, action)).rejects.toMatchObject({
        status: 409,
        errcode: 'M_BAD_STATE',
      });
    }
  });

  it('is paused and goes on where it stopped', async () => {
    const { open, passed } = gate();
    stage.hooks.set('paused', (context) => (context.cursor === 3 ? passed : undefined));
    const { jobId } = await start('paused');
    await seen(jobId, 3);
    expect(await worker.jobs.control(jobId, 'pause')).toMatchObject({ state: 'pausing' });
    open();
    await until(jobId, 'paused');
    expect(await stage.numbers('paused')).toEqual(upTo(6));
    expect(await worker.jobs.control(jobId, 'resume')).toMatchObject({ state: 'queued' });
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', done: 10 });
    expect(await stage.numbers('paused')).toEqual(upTo(10));
    expect(await stage.events(jobId)).toEqual(['started', 'pause', 'paused', 'resume', 'phase', 'completed']);
  });

  it('does not build upon a commit that the database has lost in a crash', async () => {
    let isLost = false;
    stage.hooks.set('lost', async (context) => {
      if (context.cursor !== 6 || isLost) return;
      isLost = true;
      await sql`UPDATE jobs SET cursor = '3', done = 3 WHERE job_id = ${context.jobId}`.execute(stage.db);
      await sql`DELETE FROM work WHERE target = 'lost' AND number >= 3`.execute(stage.db);
    });
    const { jobId } = await start('lost');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', done: 10 });
    expect(await stage.numbers('lost')).toEqual(upTo(10));
    expect(await stage.events(jobId)).toContain('taken_over');
  });

  it('that throws is done again from its checkpoint', async () => {
    let left = 2;
    stage.hooks.set('shaky', (context) => {
      if (context.cursor === 6 && left-- > 0) throw new Error('The wind turned.');
    });
    const { jobId } = await start('shaky');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', lastError: null, done: 10 });
    expect(await stage.numbers('shaky')).toEqual(upTo(10));
    expect((await stage.events(jobId)).filter((event) => event === 'attempt_failed')).toHaveLength(2);
  });

  it('that throws for ever fails without a word of the cause, and a retry goes on from its checkpoint', async () => {
    let isBroken = true;
    stage.hooks.set('broken', (context) => {
      if (context.cursor === 3 && isBroken) throw new Error('secret');
    });
    const { jobId } = await start('broken');
    const failed = await ended(worker.jobs, jobId);
    expect(failed).toMatchObject({ state: 'failed', lastError: { errcode: 'M_UNKNOWN' }, done: 3 });
    expect(JSON.stringify(failed)).not.toContain('secret');
    isBroken = false;
    await worker.jobs.control(jobId, 'retry');
    expect(await ended(worker.jobs, jobId)).toMatchObject({ state: 'completed', lastError: null, done: 10 });
    expect(await stage.numbers('broken')).toEqual(upTo(10));
  });

  it('that is refused fails at once, with the reason', async () => {
    stage.hooks.set('refused', () => {
      throw new MatrixError(404, 'M_NOT_FOUND', 'There is no such room.');
    });
    const { jobId } = await start('refused');
    expect(await ended(worker.jobs, jobId)).toMatchObject({
      state: 'failed',
      attempts: 0,
      lastError: { status: 404, errcode: 'M_NOT_FOUND', error: 'There is no such room.' },
    });
  });

  it.each([
    ['of an unknown kind', { kind: 'unheard_of' }],
    ['in an unknown phase', { phase: 'unheard_of' }],
    ['whose input cannot be read', { input: { target: 1 } }],
  ])('%s fails alone', async (_case, damage) => {
    const gateway = await stage.process('gateway');
    const target = JSON.stringify(damage);
    const { open, passed } = gate();
    stage.hooks.set(target, () => passed);
    const paused = await gateway.jobs.start(writeNumbers, { target, count: 1, perStep: 1 }, { requestedBy });
    await gateway.jobs.control(paused.jobId, 'pause');
    open();
    await until(paused.jobId, 'paused');
    await stage.db
      .updateTable('jobs')
      .set(damage as object)
      .where('job_id', '=', paused.jobId)
      .execute();
    await gateway.jobs.control(paused.jobId, 'resume');
    const fine = await start(`beside ${target}`);
    expect((await ended(worker.jobs, paused.jobId)).state).toBe('failed');
    expect((await ended(worker.jobs, fine.jobId)).state).toBe('completed');
  });

  it('nobody knows is M_NOT_FOUND', async () => {
    expect(await worker.jobs.wait('none', 1000)).toBeUndefined();
    await expect(worker.jobs.control('none', 'cancel')).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
  });

  it('can be waited for no longer than asked', async () => {
    const { open, passed } = gate();
    stage.hooks.set('long', () => passed);
    const { jobId } = await start('long');
    expect(await worker.jobs.wait(jobId, 50)).toMatchObject({ jobId, finishedTs: null });
    expect(await worker.jobs.wait(jobId, 20_000, AbortSignal.timeout(50))).toMatchObject({ jobId });
    open();
    expect((await ended(worker.jobs, jobId)).state).toBe('completed');
  });

  /** Waits until so much is done. */
  async function seen(jobId: string, done: number): Promise<void> {
    for (let job = await worker.jobs.reads.get(jobId); (job?.done ?? 0) < done;) {
      await worker.jobs.changeAfter(jobId, job?.version ?? 0, 1000, AbortSignal.timeout(20_000));
      job = await worker.jobs.reads.get(jobId);
    }
  }

  async function until(jobId: string, state: string): Promise<void> {
    for (let job = await worker.jobs.reads.get(jobId); job?.state !== state;) {
      await worker.jobs.changeAfter(jobId, job?.version ?? 0, 1000, AbortSignal.timeout(20_000));
      job = await worker.jobs.reads.get(jobId);
    }
  }
});
