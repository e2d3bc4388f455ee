import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connectRedis } from '@seneschal/bus';
import { createLogger, type Stoppable } from '@seneschal/observability';

/** A Redis process of one test's own, which may be emptied, killed and started again at the same address. */
export interface PrivateRedis extends Stoppable {
  readonly url: string;
  flush(): Promise<void>;
  /** Ends the process with SIGKILL; what it held is lost. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** @param settings of redis.conf, such as `{ 'maxmemory-policy': 'allkeys-lru' }` */
export async function startPrivateRedis(settings: Record<string, string> = {}): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'seneschal-redis-'));
  const url = `redis+unix://${join(folder, 'redis.sock')}`;
  let running: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    running = launch(folder, settings);
    await announced(running, /ready to accept connections/i);
  };
  const kill = async (): Promise<void> => {
    const killed = running;
    running = undefined;
    if (killed === undefined) return;
    const exited = once(killed, 'exit');
    killed.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    url,
    start,
    kill,
    flush: () => flushAll(url),
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function launch(folder: string, settings: Record<string, string>): ChildProcess {
  const options = {
    port: '0',
    unixsocket: join(folder, 'redis.sock'),
    save: '',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
    ...settings,
  };
  return spawnRedis(
    folder,
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  );
}

/** The server of the tests, with arguments of its own. */
export function spawnRedis(folder: string, args: readonly string[]): ChildProcess {
  const libraries = process.env['SENESCHAL_TEST_REDIS_LIBRARY_PATH'];
  return spawn(process.env['SENESCHAL_TEST_REDIS_BINARY'] ?? 'redis-server', args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }) },
  });
}

/** Waits for a line of a server of Redis or Valkey, such as the one by which it says that it is up. */
export async function announced(server: ChildProcess, line: RegExp): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let output = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (line.test(output)) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`Redis did not start: ${output.slice(-500)}`)));
  });
}

async function flushAll(url: string): Promise<void> {
  const redis = connectRedis(url, 'bounded', createLogger('silent'));
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}
