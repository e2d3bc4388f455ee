import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';

import { HttpClient } from '../shared/client.ts';
import { realBcryptCost, register, whois } from './accounts.ts';
import { Bench, type Measurement } from './bench.ts';
import { memory } from './memory.ts';
import { purgeRoom } from './purge.ts';
import { evacuateRoom, evacuateUser, join, send, sendParallel } from './rooms.ts';
import { indexLive, reindex, search } from './search.ts';
import { startServer } from './server.ts';
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
  run(bench: Bench, size: number): Promise<Measurement>;
}

const jobs: Record<string, Job> = {
  memory: { sizes: [1000], what: 'members; memory at rest and while emptying a room', run: memory },
  'evacuate-room': { sizes: [100, 1000, 10_000], what: 'local members', run: evacuateRoom },
  'evacuate-user': { sizes: [10, 100, 300], what: 'rooms', run: evacuateUser },
  'purge-room': { sizes: [5000, 50_000, 500_000], what: 'events in the room', run: purgeRoom },
  join: { sizes: [10, 100, 1000], what: 'members in the room by then', run: join },
  send: { sizes: [10, 100, 1000], what: 'members in the room', run: send },
  'send-parallel': { sizes: [10, 100, 1000], what: 'members in the room', run: sendParallel },
  whois: { sizes: [1, 4, 16], what: 'requests at once', run: whois },
  reindex: { sizes: [70_000, 200_000], what: 'messages', run: reindex },
  search: { sizes: [10, 100, 1000], what: 'rooms of the user', run: search },
  'live-index': { sizes: [50, 200], what: 'messages a second', run: indexLive },
  register: { sizes: [2, 8, 16], what: 'requests at once', bcryptCost: realBcryptCost, run: register },
};

function help(): string {
  const lines = Object.entries(jobs).map(
    ([name, { sizes, what }]) => `  ${name.padEnd(16)} ${sizes.join(', ')} ${what}`,
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
  const unknown = positionals.find((name) => !(name in jobs));
  if (unknown !== undefined) {
    process.stderr.write(`There is no job ${unknown}.\n\n${help()}`);
    return 1;
  }
  const sizes = values.sizes?.split(',').map(Number);
  const measurements: Measurement[] = [];
  for (const name of positionals.length > 0 ? positionals : Object.keys(jobs)) {
    const job = jobs[name] as Job;
    await runJob(context, job, sizes ?? job.sizes, (one) => {
      measurements.push(one);
      if (values.json !== true)
        process.stderr.write(`${one.job} ${one.size}: ${one.cpuPerItemMs.toFixed(2)} ms\n`);
    });
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
  const server = await startServer({
    ...context.env,
    SENESCHAL_REGISTRATION_SHARED_SECRET: secret,
    SENESCHAL_RATE_LIMITS: 'off',
    SENESCHAL_BCRYPT_COST: String(job.bcryptCost ?? 4),
    // Names of earlier jobs are taken on the same database: each job has users of its own server name.
    SENESCHAL_SERVER_NAME: `bench-${randomBytes(4).toString('hex')}.localhost`,
  });
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
