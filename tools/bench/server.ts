import { fileURLToPath } from 'node:url';

import { startProgram } from '../shared/program.ts';

export interface BenchServer {
  address: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts the whole server in a process of its own, so that its CPU time is its own too. */
export async function startServer(env: Readonly<Record<string, string | undefined>>): Promise<BenchServer> {
  const program = await startProgram(fileURLToPath(new URL('./homeserver.mjs', import.meta.url)), {
    env: { ...env, SENESCHAL_LISTEN: '127.0.0.1:0', SENESCHAL_LOG_LEVEL: 'info' },
  });
  return { address: program.addresses[0] ?? '', pid: program.pid, stop: () => program.stop() };
}
