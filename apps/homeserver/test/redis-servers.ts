import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { connectRedis } from '@seneschal/bus';
import { createLogger, Lifecycle, type Stoppable } from '@seneschal/observability';
import { announced, spawnRedis } from '@seneschal/testing';

/** Several servers of Redis that are one. */
export interface RedisServers extends Stoppable {
  readonly url: string;
  /** Ends the server that holds a key with SIGKILL. */
  killHolderOf(key: string): Promise<void>;
}

const up = /ready to accept connections/i;
const slots = 16_384;

/** A master, a replica of it, and three sentinels who make the replica the master when that is gone. */
export async function startSentinel(): Promise<RedisServers> {
  const servers = new Servers();
  const [master, replica] = [await servers.start([]), await servers.start([])];
  await servers.ask(replica, 'REPLICAOF', '127.0.0.1', String(master));
  await servers.until(replica, ['INFO', 'replication'], /master_link_status:up/);
  const sentinels: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    const port = await freePort();
    const file = join(await servers.folder(), 'sentinel.conf');
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor main 127.0.0.1 ${master} 2`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    await servers.run(port, [file, '--sentinel'], /\+monitor/);
    sentinels.push(port);
  }
  const known = ['SENTINEL', 'MASTER', 'main'];
  for (const port of sentinels) await servers.until(port, known, /num-other-sentinels,2,/);
  for (const port of sentinels) await servers.until(port, known, /num-slaves,1,/);
  const hosts = sentinels.map((port) => `127.0.0.1:${port}`).join(',');
  return {
    url: `redis+sentinel://${hosts}/main`,
    killHolderOf: () => servers.kill(master),
    stop: () => servers.stop(),
  };
}

/** Three masters with a replica each. */
export async function startCluster(): Promise<RedisServers> {
  const servers = new Servers();
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
  const ports: number[] = [];
  for (let count = 0; count < 6; count += 1) ports.push(await servers.start(settings));
  const [first = 0] = ports;
  const masters = ports.slice(0, 3);
  for (const [at, port] of masters.entries()) {
    const [from, to] = [Math.ceil((at * slots) / 3), Math.ceil(((at + 1) * slots) / 3)];
    const own = Array.from({ length: to - from }, (_, index) => String(from + index));
    await servers.ask(port, 'CLUSTER', 'ADDSLOTS', ...own);
  }
  for (const port of ports.slice(1)) await servers.ask(port, 'CLUSTER', 'MEET', '127.0.0.1', String(first));
  for (const port of ports) await servers.until(port, ['CLUSTER', 'INFO'], /cluster_known_nodes:6/);
  for (const [at, port] of ports.slice(3).entries()) {
    const id = await servers.ask(masters[at] ?? 0, 'CLUSTER', 'MYID');
    await servers.until(port, ['CLUSTER', 'REPLICATE', String(id)], /OK/);
  }
  for (const port of ports) await servers.until(port, ['CLUSTER', 'INFO'], /cluster_state:ok/);
  for (const port of ports.slice(3))
    await servers.until(port, ['INFO', 'replication'], /master_link_status:up/);
  return {
    url: `redis+cluster://${masters.map((port) => `127.0.0.1:${port}`).join(',')}`,
    killHolderOf: async (key) => {
      const slot = Number(await servers.ask(first, 'CLUSTER', 'KEYSLOT', key));
      await servers.kill(masters[Math.floor((slot * 3) / slots)] ?? 0);
    },
    stop: () => servers.stop(),
  };
}

/** Processes by their ports, on folders of their own. */
class Servers implements Stoppable {
  readonly #lifecycle = new Lifecycle();
  readonly #running = new Map<number, ChildProcess>();

  async start(more: readonly string[]): Promise<number> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const quick = ['--repl-diskless-sync-delay', '0', '--maxmemory-policy', 'noeviction'];
    await this.run(port, [...args, ...quick, ...more], up);
    return port;
  }

  async run(port: number, args: readonly string[], line: RegExp): Promise<void> {
    const child = spawnRedis(await this.folder(), args);
    this.#running.set(port, child);
    this.#lifecycle.add({ stop: () => this.kill(port) });
    await announced(child, line);
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-redis-'));
    this.#lifecycle.add({ stop: () => rm(folder, { recursive: true, force: true }) });
    return folder;
  }

  async ask(port: number, command: string, ...args: string[]): Promise<unknown> {
    const redis = connectRedis(`redis://127.0.0.1:${port}`, 'bounded', createLogger('silent'));
    try {
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  /** Asks until the answer has what is waited for: these are processes of others, which tell nobody. */
  async until(port: number, [command = '', ...args]: readonly string[], answer: RegExp): Promise<void> {
    const end = performance.now() + 30_000;
    let said = '';
    while (performance.now() < end) {
      said = String(await this.ask(port, command, ...args).catch((error: unknown) => String(error)));
      if (answer.test(said)) return;
      await wait(50);
    }
    throw new Error(`Redis at ${port} answers to ${command} ${args.join(' ')}: ${said}`);
  }

  async kill(port: number): Promise<void> {
    const child = this.#running.get(port);
    this.#running.delete(port);
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}

/** One whose other port, 10,000 above, is free as well: the servers of a cluster talk there. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
