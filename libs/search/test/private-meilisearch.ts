import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Stoppable } from '@seneschal/observability';
import { uniqueName } from '@seneschal/testing';

/** The program that tests may start, when they are told of one. */
export const meilisearchBinary = process.env['SENESCHAL_TEST_MEILISEARCH_BINARY'];

/** A Meilisearch process of one test's own, which may be killed and started again at the same address. */
export interface PrivateMeilisearch extends Stoppable {
  readonly config: { url: string; apiKey: string; prefix: string };
  /** Ends the process with SIGKILL; what it holds is on the disk. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export async function startPrivateMeilisearch(binary: string): Promise<PrivateMeilisearch> {
  const folder = await mkdtemp(join(tmpdir(), 'seneschal-meilisearch-'));
  const address = `127.0.0.1:${await freePort()}`;
  const apiKey = uniqueName().repeat(2);
  let running: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const killed = running;
    running = undefined;
    if (killed === undefined) return;
    const exited = once(killed, 'exit');
    killed.kill('SIGKILL');
    await exited;
  };
  const start = async (): Promise<void> => {
    running = spawn(
      binary,
      ['--http-addr', address, '--master-key', apiKey, '--no-analytics', '--env', 'production'],
      {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    await listening(running);
  };
  await start();
  return {
    config: { url: `http://${address}`, apiKey, prefix: uniqueName() },
    kill,
    start,
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for the line by which it says that it listens. */
async function listening(server: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.stderr?.on('data', (chunk: Buffer) => {
      if (/listening on/i.test(chunk.toString())) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error('Meilisearch did not start.')));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
