import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';

import { HttpClient } from '../shared/client.ts';
import { realBcryptCost, register, whois } from './accounts.ts';
import { Bench, type Measurement } from './bench.ts';
import { evacuateAmongServers, fanOutToServers, receive } from './federation.ts';
import { bigRoom, sendLarge } from './big-rooms.ts';
import { paginate } from './history.ts';
import { memory } from './memory.ts';
import { withPeers } from './neighbours.ts';
import { jobOverhead, withoutJobs } from './overhead.ts';
import { purgeRoom } from './purge.ts';
import { downloadState, joinRemote } from './remote-rooms.ts';
import { evacuateRoom, evacuateUser, join, send, sendParallel } from './rooms.ts';
import { scale } from './scale.ts';
import { sendersOfManyRooms, sendersOfOneRoom } from './senders.ts';
import { indexLive, reindex, reindexMemory, search } from './search.ts';
import { startServer } from './server.ts';
import { fanOut, initialSync, syncLatency } from './sync.ts';
import { table } from './table.ts';

interface Context {
  args: string[];
  env: Record<string, string | undefined>;
  pids?: { postgres?: number; redis?: number };
}

interface Job {
  sizes: number[];
  what: string;
  /** Passwords are cheap unless their cost is what is measured. */
  bcryptCost?: number;
  /** Settings of the server for this job. */
  env?: Record<string, string>;
  run(bench: Bench, size: number): Promise<Measurement>;
}

const jobs: Record<string, Job> = {
  memory: { sizes: [1000], what: 'members; memory at rest and while emptying a room', run: memory },
  'evacuate-room': { sizes: [100, 1000, 10_000], what: 'local members', run: evacuateRoom },
  'evacuate-user': { sizes: [10, 100, 300], what: 'rooms', run: evacuateUser },
  'purge-room': { sizes: [5000, 50_000, 500_000], what: 'events in the room', run: purgeRoom },
  'job-overhead': { sizes: [2000], what: 'local members', env: withoutJobs, run: jobOverhead },
  join: { sizes: [10, 100, 1000], what: 'members in the room by then', run: join },
  send: { sizes: [10, 100, 1000], what: 'members in the room', run: send },
  'send-parallel': { sizes: [10, 100, 1000], what: 'members in the room', run: sendParallel },
  'send-large': { sizes: [10_000], what: 'members; and by turns into a room of 10', run: sendLarge },
  'senders-one-room': { sizes: [1, 8, 32], what: 'senders at once', run: sendersOfOneRoom },
  'senders-many-rooms': { sizes: [1, 8, 32], what: 'senders at once', run: sendersOfManyRooms },
  'big-room': { sizes: [1000, 10_000], what: 'members, and ten times as many events', run: bigRoom },
  'initial-sync': { sizes: [100, 300, 1000], what: 'rooms of the user', run: initialSync },
  'sync-latency': { sizes: [10, 50, 100], what: 'messages a second', run: syncLatency },
  'fan-out': { sizes: [10, 100, 1000], what: 'clients that listen in the room', run: fanOut },
  messages: { sizes: [1000, 10_000, 100_000], what: 'events in the room', run: paginate },
  whois: { sizes: [1, 4, 16], what: 'requests at once', run: whois },
  reindex: { sizes: [70_000, 200_000], what: 'messages', run: reindex },
  'reindex-memory': { sizes: [10_000, 100_000, 1_000_000], what: 'messages', run: reindexMemory },
  search: { sizes: [10, 100, 1000], what: 'rooms of the user', run: search },
  'live-index': { sizes: [50, 200], what: 'messages a second', run: indexLive },
  'federation-receive': {
    sizes: [1, 10, 50],
    what: 'events in a transaction, into a room of 1,000 members',
    env: withPeers,
    run: receive,
  },
  'federation-send': { sizes: [1, 10, 100], what: 'other servers', env: withPeers, run: fanOutToServers },
  'federation-join': { sizes: [1000, 10_000], what: 'members', env: withPeers, run: joinRemote },
  'federation-state': { sizes: [1000, 10_000], what: 'members', env: withPeers, run: downloadState },
  'federation-evacuate': {
    sizes: [100, 1000],
    what: 'local members, beside 50 other servers',
    env: withPeers,
    run: evacuateAmongServers,
  },
  register: { sizes: [2, 8, 16], what: 'requests at once', bcryptCost: realBcryptCost, run: register },
};

/** Jobs that start processes of their own, instead of one server. */
const fleets = {
  scale: { sizes: [1, 2, 4], what: 'worker processes, beside one gateway of each kind', run: scale },
};

function help(): string {
  const lines = Object.entries({ ...jobs, ...fleets }).map(
    ([name, { sizes, what }]) => `  ${name.padEnd(19)} ${sizes.join(', ')} ${what}`,
  );
  return `npm run bench -- [JOB …] [--sizes N,N] [--json]

Starts a server of its own, measures each job at several sizes and prints JSON and a table, with the CPU time
of the server and of PostgreSQL beside the wall time. Without a JOB all of them run:

${lines.join('\n')}

  --sizes N,N   other sizes
  --json        JSON only
`;
}

/** @returns the exit code */
export async function main(context: Context): Promise<number> {
  const { values, positionals } = parseArgs({
    args: context.args,
    allowPositionals: true,
    options: { sizes: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(help());
    return 0;
  }
  const unknown = positionals.find((name) => !(name in jobs) && !(name in fleets));
  if (unknown !== undefined) {
    process.stderr.write(`There is no job ${unknown}.\n\n${help()}`);
    return 1;
  }
  const sizes = values.sizes?.split(',').map(Number);
  const measurements: Measurement[] = [];
  const tell = (one: Measurement): void => {
    measurements.push(one);
    if (values.json !== true)
      process.stderr.write(`${one.job} ${one.size}: ${one.cpuPerItemMs.toFixed(2)} ms\n`);
  };
  const names = positionals.length > 0 ? positionals : [...Object.keys(jobs), ...Object.keys(fleets)];
  for (const name of names) {
    if (name === 'scale') await runFleet(context, sizes ?? fleets.scale.sizes, tell);
    else await runJob(context, jobs[name] as Job, sizes ?? (jobs[name] as Job).sizes, tell);
  }
  process.stdout.write(`${JSON.stringify(measurements, null, 2)}\n`);
  if (values.json !== true) process.stdout.write(`\n${table(measurements)}\n`);
  return 0;
}

/** Each job has a server of its own, so that none inherits another's memory. */
async function runJob(
  context: Context,
  job: Job,
  sizes: readonly number[],
  tell: (one: Measurement) => void,
): Promise<void> {
  const secret = randomBytes(32).toString('base64url');
  const server = await startServer({ ...environmentOf(context, secret, job.bcryptCost ?? 4), ...job.env });
  const client = new HttpClient(server.address);
  try {
    const pids = { server: server.pid, postgres: context.pids?.postgres, redis: context.pids?.redis };
    const bench = new Bench(client, secret, pids, context.env);
    for (const size of sizes) tell(await job.run(bench, size));
  } finally {
    client.close();
    await server.stop();
  }
}

async function runFleet(
  context: Context,
  sizes: readonly number[],
  tell: (one: Measurement) => void,
): Promise<void> {
  const pids = { postgres: context.pids?.postgres, redis: context.pids?.redis };
  for (const size of sizes) {
    const secret = randomBytes(32).toString('base64url');
    for (const one of await scale({ env: environmentOf(context, secret, 4), secret, pids }, size)) tell(one);
  }
}

function environmentOf(
  { env }: Context,
  secret: string,
  bcryptCost: number,
): Record<string, string | undefined> {
  return {
    ...env,
    SENESCHAL_REGISTRATION_SHARED_SECRET: secret,
    SENESCHAL_RATE_LIMITS: 'off',
    SENESCHAL_BCRYPT_COST: String(bcryptCost),
    // Names of earlier jobs are taken on the same database: each job has users of its own server name.
    SENESCHAL_SERVER_NAME: `bench-${randomBytes(4).toString('hex')}.localhost`,
  };
}
