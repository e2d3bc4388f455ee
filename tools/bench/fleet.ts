import { fileURLToPath } from 'node:url';

import { type Program, startProgram } from '../shared/program.ts';

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
  const programs: Program[] = [];
  const start = async (name: string): Promise<string> => {
    const program = await startProgram(fileURLToPath(new URL(`./${name}.mjs`, import.meta.url)), {
      env: { ...env, SENESCHAL_LISTEN: '127.0.0.1:0', SENESCHAL_LOG_LEVEL: 'info' },
    });
    programs.push(program);
    return program.addresses[0] ?? '';
  };
  const stop = async (): Promise<void> => {
    for (const program of programs) await program.stop();
  };
  try {
    // The first one makes the tables, and the signing key that all others read.
    for (let count = 0; count < workers; count += 1) await start('worker');
    const clientAddress = await start('client-gateway');
    const adminAddress = await start('admin-gateway');
    return { clientAddress, adminAddress, pids: programs.map(({ pid }) => pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
