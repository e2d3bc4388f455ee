import { sql } from 'kysely';

import { Checkpoints } from './checkpoints.ts';
import { type EndState, endState, evacuate, makeRoom } from './rooms.ts';
import { Servers } from './servers.ts';

/** `npm run test:faults` does all of it; beside the other tests some of it. */
const isFull = process.env['SENESCHAL_FAULTS'] === 'full';
const members = isFull ? 500 : 260;
/** A killed worker's job is in other hands by then. */
const longestTakeoverMs = 10_000;

describe('an evacuation as a job, while the server is damaged', () => {
  let servers: Servers;
  let checkpoints: Checkpoints;
  let total: number;
  const takeovers: number[] = [];

  beforeAll(async () => {
    servers = await Servers.start();
    checkpoints = await Checkpoints.on(servers.databaseUrl);
    const { roomId, users } = await makeRoom(servers, members);
    await checkpoints.plan(0);
    const { jobId } = await evacuate(servers, roomId);
    expect(await endState(servers, jobId, roomId)).toEqual(undisturbed(users));
    total = await checkpoints.count();
  }, 120_000);

  afterAll(async () => {
    if (takeovers.length > 0) {
      process.stdout.write(`takeovers after SIGKILL: ${takeovers.map((ms) => `${ms} ms`).join(', ')}\n`);
    }
    await checkpoints.stop();
    await servers.stop();
  }, 60_000);

  /** Runs a job that stops at a checkpoint, and does something to the server there. */
  async function disturb(
    hold: number,
    act: (held: { worker: string; backend: number; jobId: string }) => Promise<void>,
  ): Promise<void> {
    const { roomId, users } = await makeRoom(servers, members);
    await checkpoints.plan(hold);
    const { jobId } = await evacuate(servers, roomId);
    await act({ ...(await checkpoints.held()), jobId });
    expect(await endState(servers, jobId, roomId)).toEqual(undisturbed(users));
  }

  async function killAt(hold: number, isLost: boolean): Promise<void> {
    await disturb(hold, async ({ worker, backend, jobId }) => {
      const killed = await servers.kill(worker);
      await checkpoints.release(isLost ? backend : undefined);
      const taken = await takenOver(jobId);
      if (taken !== undefined) {
        takeovers.push(taken - killed);
        expect(taken - killed).toBeLessThan(longestTakeoverMs);
      }
      await servers.addWorker();
    });
  }

  /** When another worker took the job; undefined when the checkpoint was its last one or the first. */
  async function takenOver(jobId: string): Promise<number | undefined> {
    const job = await servers.jobs.wait(jobId, 60_000);
    const events = await servers.jobs.reads.events(jobId, 0);
    expect(job?.state).toBe('completed');
    return events.find(({ event }) => event === 'taken_over')?.ts;
  }

  it('has checkpoints', () => {
    expect(total).toBeGreaterThanOrEqual(6);
  });

  it('is the same when its worker is killed at a checkpoint', async () => {
    const all = Array.from({ length: total }, (_, index) => index + 1);
    for (const hold of isFull ? all : [4]) {
      await killAt(hold, true);
      await killAt(hold, false);
    }
  }, 900_000);

  it('is the same when its worker hangs, and another one has done the job when it goes on', async () => {
    await disturb(4, async ({ worker, backend, jobId }) => {
      servers.signal(worker, 'SIGSTOP');
      await checkpoints.release(backend);
      expect((await servers.jobs.wait(jobId, 60_000))?.state).toBe('completed');
      servers.signal(worker, 'SIGCONT');
    });
  }, 120_000);

  it('is the same when Redis is emptied, and when it is killed and comes back', async () => {
    await disturb(4, async () => {
      await servers.redis.flush();
      await checkpoints.release();
    });
    await disturb(4, async () => {
      await servers.redis.kill();
      await checkpoints.release();
      await servers.redis.start();
    });
  }, 120_000);

  it('is the same when PostgreSQL is stopped and started', async () => {
    await disturb(4, async () => {
      await servers.stopPostgres();
      await servers.startPostgres();
      checkpoints = await Checkpoints.on(servers.databaseUrl);
      await checkpoints.release();
    });
  }, 120_000);

  it('waits while the queue is full', async () => {
    const { roomId, users } = await makeRoom(servers, 5);
    await checkpoints.plan(0);
    await servers.bus.redis.config('SET', 'maxmemory', '1');
    const { jobId } = await evacuate(servers, roomId);
    expect((await servers.jobs.wait(jobId, 1000))?.state).toBe('queued');
    await servers.bus.redis.config('SET', 'maxmemory', '0');
    expect(await endState(servers, jobId, roomId)).toEqual(undisturbed(users));
  }, 60_000);

  it('names whose membership is poisoned or cannot be read, and takes out all others', async () => {
    const { roomId, users } = await makeRoom(servers, 20);
    await checkpoints.plan(0);
    const damage = (user: string | undefined, json: string): Promise<unknown> =>
      sql`UPDATE roomserver_events SET json = ${json} FROM roomserver_rooms r
        WHERE r.room_nid = roomserver_events.room_nid AND r.room_id = ${roomId} AND state_key = ${user}
      `.execute(servers.database.tables());
    await damage(users[3], '{"type":"m.room.member","content":{"membership":["join"]},"prev_events":[]}');
    await damage(users[4], 'no JSON');
    const { jobId } = await evacuate(servers, roomId);
    const bad = users.slice(3, 5);
    expect(await endState(servers, jobId, roomId)).toMatchObject({
      state: 'partial',
      failed: bad,
      stillIn: bad,
      affected: users.filter((user) => !bad.includes(user)),
    });
  }, 60_000);

  function undisturbed(users: readonly string[]): EndState {
    return {
      state: 'completed',
      affected: [...users].sort(),
      failed: [],
      stillIn: [],
      wrongLeaves: [],
      extremities: 1,
      isOneChain: true,
    };
  }
});
