import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { listening } from './server.ts';

/** Gateways and workers as processes of their own, as docker-compose.yml runs them. */
export interface BenchFleet {
  clientAddress: string;
  adminAddress: string;
  pids: number[];
  stop(): Promise<void>;
}

/** Starts one client gateway, one admin gateway and so many workers. */
export async function startFleet(
  env: Record<string, string | undefined>,
  workers: number,
): Promise<BenchFleet> {
  const children: ChildProcess[] = [];
  const start = (program: string): Promise<string> => {
    const file = fileURLToPath(new URL(`./${program}.mjs`, import.meta.url));
    const child = spawn(process.execPath, [file], {
      env: { ...env, SENESCHAL_LISTEN: '127.0.0.1:0', SENESCHAL_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return listening(child);
  };
  const stop = async (): Promise<void> => {
    for (const child of children) {
      const ended = once(child, 'exit');
      if (child.exitCode !== null || !child.kill('SIGTERM')) continue;
      await ended;
    }
  };
  try {
    // The first one makes the tables, and the signing key that all others read.
    for (let count = 0; count < workers; count += 1) await start('worker');
    const clientAddress = await start('client-gateway');
    const adminAddress = await start('admin-gateway');
    return { clientAddress, adminAddress, pids: children.map(({ pid }) => pid ?? 0), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
