import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program of the build that runs as a process of its own. */
export interface Program {
  readonly pid: number;
  /** Where it listens, in the order in which it said so; the first one is that of its main listener. */
  readonly addresses: readonly string[];
  signal(signal: NodeJS.Signals): void;
  /** Ends it with SIGTERM. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

export interface ProgramOptions {
  /** All of its environment. */
  env: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Modules that Node loads before it, as by `node --import`. */
  imports?: readonly string[];
  /** How often it has to say that it listens before it counts as started; once unless given. */
  listeners?: number;
}

/** Starts a program; resolves when it listens, and rejects when it ends before. */
export async function startProgram(file: string, options: ProgramOptions): Promise<Program> {
  const { env, cwd, imports = [], listeners = 1 } = options;
  const child = spawn(process.execPath, [...imports.flatMap((one) => ['--import', one]), file], {
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const addresses = await Promise.race([
    listening(child, listeners),
    ended.then(([code, signal]) => {
      throw new Error(`${file} ended with ${String(code ?? signal)} before it listened.`);
    }),
  ]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid ?? 0,
    addresses,
    signal: (signal) => void child.kill(signal),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** The addresses that a process says in its log. Its output is read on, so that it never waits for us. */
function listening({ stdout }: ChildProcess, listeners: number): Promise<string[]> {
  const addresses: string[] = [];
  return new Promise((resolve, reject) => {
    if (stdout === null) {
      reject(new Error('The program has no output.'));
      return;
    }
    createInterface({ input: stdout }).on('line', (line) => {
      const address = line.includes('"listening"') ? /"address":"([^"]+)"/.exec(line)?.[1] : undefined;
      if (address !== undefined) addresses.push(address);
      if (addresses.length === listeners) resolve(addresses);
    });
  });
}
