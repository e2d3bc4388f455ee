import { sql } from 'kysely';

import { Checkpoints } from './checkpoints.ts';
import type { Fault, HeldJob, Stand } from './stand.ts';

/** The worker is killed; what it was about to commit is lost with its connection, or is not. */
export const killed = (how: 'lost' | 'kept'): Fault => {
  return async (stand, { worker, backend }) => {
    await stand.kill(worker);
    await stand.checkpoints.release(how === 'lost' ? backend : undefined);
  };
};

/** The worker hangs, another one does the job, and then the first goes on where it stood. */
async function hung({ servers, checkpoints }: Stand, { worker, backend, jobId }: HeldJob): Promise<void> {
  servers.signal(worker, 'SIGSTOP');
  await checkpoints.release(backend);
  await servers.jobs.wait(jobId, 60_000);
  servers.signal(worker, 'SIGCONT');
}

/** The worker is slow: another one has the job too, and is about to claim it, when the first commits. */
async function contested({ servers, checkpoints }: Stand, held: HeldJob): Promise<void> {
  await servers.redis.flush();
  await checkpoints.contested(held);
  await checkpoints.release();
}

async function redisEmptied({ servers, checkpoints }: Stand): Promise<void> {
  await servers.redis.flush();
  await checkpoints.release();
}

async function redisKilled({ servers, checkpoints }: Stand): Promise<void> {
  await servers.redis.kill();
  await checkpoints.release();
  await servers.redis.start();
}

async function postgresStopped(stand: Stand): Promise<void> {
  await stand.servers.stopPostgres();
  await stand.servers.startPostgres();
  stand.checkpoints = await Checkpoints.on(stand.servers.databaseUrl);
  await stand.checkpoints.release();
}

/** Nothing can be put into a queue until the job or a child has met with that, or the job has not needed to. */
async function queueFull({ servers, checkpoints }: Stand, { jobId }: HeldJob): Promise<void> {
  await servers.bus.redis.config('SET', 'maxmemory', '1');
  await checkpoints.release();
  for (let isMet = false; !isMet;) {
    const { rows } = await sql<{ met: boolean }>`
      SELECT coalesce(bool_or(last_error IS NOT NULL OR (job_id = ${jobId} AND finished_ts IS NOT NULL)), false) AS met
      FROM jobs WHERE job_id = ${jobId} OR parent_id = ${jobId}
    `.execute(servers.database.tables());
    isMet = rows[0]?.met ?? false;
  }
  await servers.bus.redis.config('SET', 'maxmemory', '0');
}

/** What is done to every job, by what a test says of it. */
export const faults: Readonly<Record<string, Fault>> = {
  'its worker hangs, and another one has done the job when it goes on': hung,
  'two workers have it at once': contested,
  'Redis is emptied': redisEmptied,
  'Redis is killed and comes back': redisKilled,
  'PostgreSQL is stopped and started': postgresStopped,
  'the queue is full': queueFull,
};
