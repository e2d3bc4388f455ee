import pg from 'pg';

import { fillRoom } from '../shared/big-room.ts';
import { createRoom, text, type User } from '../shared/matrix.ts';
import { type Bench, consumersRead, type Measurement, medianOf } from './bench.ts';
import { startServer } from './server.ts';

const events = 100_000;
const workerName = 'bench-worker';

interface Ground {
  bench: Bench;
  admin: User;
  database: pg.Client;
}

/**
 * Purges are begun beside a second worker, and whenever it has one it is killed in the middle of it, `size` times
 * in all. Tells how long it took until the server had the job.
 */
export async function takeover(bench: Bench, size: number): Promise<Measurement> {
  const database = new pg.Client(bench.env['SENESCHAL_DATABASE_URL']);
  await database.connect();
  try {
    const ground = { bench, admin: await bench.admin(), database };
    return await bench.measure('takeover', size, size, async () => {
      const taken: number[] = [];
      while (taken.length < size) {
        const ms = await killAtWork(ground);
        if (ms !== undefined) taken.push(ms);
      }
      return {
        takeoverMedianMs: medianOf(taken).median,
        shortestMs: Math.min(...taken),
        longestMs: Math.max(...taken),
      };
    });
  } finally {
    await database.end();
  }
}

/** Undefined when the server and not the worker was given the job. */
async function killAtWork(ground: Ground): Promise<number | undefined> {
  const { bench, admin, database } = ground;
  const roomId = await createRoom(bench.client, admin);
  await fillRoom(database, { roomId, sender: admin.userId, count: events });
  await consumersRead(database);
  const worker = await startServer(workerEnv(ground), 'worker');
  const path = `/_dendrite/admin/purgeRoom/${encodeURIComponent(roomId)}`;
  const headers = { Prefer: 'respond-async' };
  const asked = await bench.client.request('POST', path, { token: admin.token, headers });
  const jobId = text(asked.body['job_id']);
  const isOurs = (await whoDeletes(database)) === workerName;
  const killed = Date.now();
  await worker.stop(isOurs ? 'SIGKILL' : 'SIGTERM');
  const end = await bench.client.request('POST', path, { token: admin.token });
  if (end.status !== 200 && end.status !== 404) throw new Error(`The purge was answered ${end.status}.`);
  if (!isOurs) return undefined;
  const found = await database.query<{ ts: string }>(
    `SELECT ts FROM job_events WHERE job_id = $1 AND event = 'taken_over' AND ts >= $2`,
    [jobId, killed],
  );
  return found.rows[0] === undefined ? undefined : Number(found.rows[0].ts) - killed;
}

/** The name of the connection that deletes events, as soon as there is one. */
async function whoDeletes(database: pg.Client): Promise<string> {
  for (;;) {
    const found = await database.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
        WHERE state <> 'idle' AND query LIKE '%DELETE FROM roomserver_events%' AND pid <> pg_backend_pid()`,
    );
    if (found.rows[0] !== undefined) return found.rows[0].name;
  }
}

function workerEnv({ bench, admin }: Ground): Bench['env'] {
  const url = new URL(bench.env['SENESCHAL_DATABASE_URL'] ?? '');
  url.searchParams.set('application_name', workerName);
  return {
    ...bench.env,
    SENESCHAL_DATABASE_URL: url.href,
    SENESCHAL_SERVER_NAME: admin.userId.slice(admin.userId.indexOf(':') + 1),
  };
}
