import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface BenchServer {
  address: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts the whole server in a process of its own, so that its CPU time is its own too. */
export async function startServer(env: Readonly<Record<string, string | undefined>>): Promise<BenchServer> {
  const program = fileURLToPath(new URL('./homeserver.mjs', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [program], {
    env: { ...env, SENESCHAL_LISTEN: '127.0.0.1:0', SENESCHAL_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await listening(child);
  return {
    address,
    pid: child.pid ?? 0,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Where a process says in its log that it listens. */
export async function listening(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('The server has no output.');
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => {
    throw new Error('The server ended before it listened.');
  });
  const found = (async () => {
    for await (const line of lines) {
      const address = /"address":"([^"]+)"/.exec(line)?.[1];
      if (address !== undefined) return address;
    }
    throw new Error('The server does not say where it listens.');
  })();
  const address = await Promise.race([found, ended]);
  ended.catch(() => undefined);
  child.stdout.resume();
  return address;
}
