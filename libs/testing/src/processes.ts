import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import type { Stoppable } from '@seneschal/observability';

/** A process of one test's own, which talks in messages and may be killed. */
export interface TestProcess extends Stoppable {
  readonly pid: number;
  send(message: object): void;
  /** The next message from the process. Rejects when the process ends first. */
  next(): Promise<unknown>;
  /** Ends the process with SIGKILL. */
  kill(): Promise<void>;
}

const loader = join(import.meta.dirname, 'typescript.mjs');

/**
 * Runs a TypeScript file as a process of its own, which has `environment` besides what this one has, and whose
 * `process.send` reaches `next`. `stop` kills it if it still runs.
 */
export async function startProcess(
  file: string,
  environment: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<TestProcess> {
  const child = spawn(process.execPath, ['--import', loader, file, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  await once(child, 'spawn');
  const inbox: unknown[] = [];
  const waiting: ((message: unknown) => void)[] = [];
  child.on('message', (message) => {
    const taker = waiting.shift();
    if (taker === undefined) inbox.push(message);
    else taker(message);
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    pid: child.pid ?? 0,
    send: (message) => void child.send(message),
    next: () => {
      if (inbox.length > 0) return Promise.resolve(inbox.shift());
      const message = new Promise<unknown>((resolve) => waiting.push(resolve));
      const ended = exited.then(([code, signal]) => {
        throw new Error(`The process ended with ${String(code ?? signal)} before it said anything.`);
      });
      return Promise.race([message, ended]);
    },
    kill,
    stop: kill,
  };
}
