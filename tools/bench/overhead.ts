import pg from 'pg';

import { fillMembers } from '../shared/big-room.ts';
import { createRoom, texts, type User } from '../shared/matrix.ts';
import { type Bench, consumersRead, type Measurement, medianOf } from './bench.ts';

/** Pairs of an evacuation by the command and one by a job, in changing order. */
const pairs = 40;

interface Cost {
  wallMs: number;
  cpuMs: number;
}

interface Ground {
  bench: Bench;
  admin: User;
  database: pg.Client;
}

/** `npm run bench` starts a server with it for this job: what is no job by its headers is none. */
export const withoutJobs = { SENESCHAL_EVACUATE_JOB_SIZE: '1000000' };

/**
 * What a job costs beside its work: rooms of `size` local members are emptied by the plain command and by a job,
 * each answered in full by one request, in turns. Tells the median of the ratios, and where it lies with 95 %.
 */
export async function jobOverhead(bench: Bench, size: number): Promise<Measurement> {
  const database = new pg.Client(bench.env['SENESCHAL_DATABASE_URL']);
  await database.connect();
  try {
    const ground = { bench, admin: await bench.admin(), database };
    for (const isJob of [true, false, true, false]) await evacuate(ground, size, isJob);
    return await bench.measure('job-overhead', size, 2 * pairs * size, async () => {
      const jobs: Cost[] = [];
      const commands: Cost[] = [];
      while (jobs.length < pairs) {
        const order = jobs.length % 2 === 0 ? [true, false] : [false, true];
        for (const isJob of order) {
          (isJob ? jobs : commands).push(await evacuate(ground, size, isJob));
        }
      }
      return { ...ratios('wall', jobs, commands), ...ratios('cpu', jobs, commands) };
    });
  } finally {
    await database.end();
  }
}

async function evacuate({ bench, admin, database }: Ground, size: number, isJob: boolean): Promise<Cost> {
  const roomId = await createRoom(bench.client, admin);
  const serverName = admin.userId.slice(admin.userId.indexOf(':') + 1);
  await fillMembers(database, { roomId, count: size - 1, serverName });
  await consumersRead(database);
  const path = `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`;
  const headers = isJob ? { Prefer: 'respond-async, wait=60' } : {};
  const before = total(bench);
  const started = performance.now();
  const answer = await bench.client.expect('POST', path, { token: admin.token, headers });
  const wallMs = performance.now() - started;
  const { length } = texts(answer['affected']);
  if (length !== size) throw new Error(`${length} affected instead of ${size}.`);
  await consumersRead(database);
  return { wallMs, cpuMs: total(bench) - before };
}

function total(bench: Bench): number {
  return bench.cpu().reduce((sum, one) => sum + one, 0);
}

function ratios(
  name: 'wall' | 'cpu',
  jobs: readonly Cost[],
  commands: readonly Cost[],
): Record<string, number> {
  const of = (cost: Cost | undefined): number => cost?.[`${name}Ms`] ?? 0;
  const { median, low, high } = medianOf(jobs.map((job, index) => of(job) / of(commands[index])));
  return {
    [`${name}CommandMs`]: medianOf(commands.map(of)).median,
    [`${name}JobMs`]: medianOf(jobs.map(of)).median,
    [`${name}Ratio`]: median,
    [`${name}RatioLow`]: low,
    [`${name}RatioHigh`]: high,
  };
}
