import { join } from 'node:path';

import { type Program, startProgram } from './program.ts';

/** Gateways and workers as processes of their own, as docker-compose.yml runs them. */
export interface Fleet {
  clientAddresses: string[];
  adminAddress: string;
  pids: number[];
  stop(): Promise<void>;
}

export interface FleetOptions {
  /** Where the built programs are. */
  programs: string;
  /** All of their environment, but where they listen and how much they log. */
  env: Readonly<Record<string, string | undefined>>;
  workers: number;
  /** Client gateways; one unless given. */
  gateways?: number;
}

/** Starts so many workers and client gateways, and one admin gateway. */
export async function startFleet({ programs, env, workers, gateways = 1 }: FleetOptions): Promise<Fleet> {
  const started: Program[] = [];
  const start = async (name: string): Promise<string> => {
    const program = await startProgram(join(programs, `${name}.mjs`), {
      env: { ...env, SENESCHAL_LISTEN: '127.0.0.1:0', SENESCHAL_LOG_LEVEL: 'info' },
    });
    started.push(program);
    return program.addresses[0] ?? '';
  };
  const stop = async (): Promise<void> => {
    for (const program of started) await program.stop();
  };
  try {
    // The first one makes the tables, and the signing key that all others read.
    await start('worker');
    const names = [
      'admin-gateway',
      ...Array.from({ length: gateways }, () => 'client-gateway'),
      ...Array.from({ length: workers - 1 }, () => 'worker'),
    ];
    // All of them have started or failed before any is stopped.
    const others = await Promise.allSettled(names.map(start));
    const [adminAddress = '', ...addresses] = others.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    const clientAddresses = addresses.slice(0, gateways);
    return { clientAddresses, adminAddress, pids: started.map(({ pid }) => pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
