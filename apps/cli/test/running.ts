import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { type Host, run } from '@seneschal/cli';
import type { OpenApiDocument } from '@seneschal/http';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What the build has written of the admin API. */
export const api = JSON.parse(readFileSync(join(root, 'dist/admin-api.json'), 'utf8')) as OpenApiDocument;

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** What is piped in. */
  stdin?: string;
  /** What is typed at a terminal, which there is then. */
  typed?: string;
  home?: string;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'seneschal-cli-'));
}

/** Runs the command line in this process. */
export async function cli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env = {}, stdin = '', typed, home = temporaryFolder() } = options;
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const printed = Promise.all([text(stdout), text(stderr)]);
  const terminal = { isTTY: true, setRawMode: () => undefined };
  const input: Host['stdin'] =
    typed === undefined
      ? Readable.from([stdin])
      : Object.assign(Readable.from(typed.split(/(?<=[\r\n])/)), terminal);
  const code = await run({
    args,
    env,
    home,
    machine: 'tester',
    stdin: input,
    stdout: typed === undefined ? stdout : Object.assign(stdout, { isTTY: true, columns: 100 }),
    stderr: typed === undefined ? stderr : Object.assign(stderr, { isTTY: true, columns: 100 }),
    api,
    onInterrupt: () => () => undefined,
  });
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { code, out, err };
}

export interface Child {
  /** Resolves when standard error has had this text. */
  said(text: string): Promise<void>;
  interrupt(): void;
  ended: Promise<Ran>;
}

/** Runs the command line as a process of its own. */
export function startCli(
  args: readonly string[],
  env: Record<string, string>,
  program = 'dist/cli.mjs',
): Child {
  const child = spawn(process.execPath, [join(root, program), ...args], {
    env: { PATH: process.env['PATH'], HOME: temporaryFolder(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seen = { err: '' };
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => void (seen.err += chunk));
  const exited = once(child, 'close') as Promise<[number | null]>;
  const out = text(child.stdout);
  return {
    said: async (wanted) => {
      while (!seen.err.includes(wanted)) {
        await Promise.race([
          once(child.stderr, 'data'),
          exited.then(() => {
            if (!seen.err.includes(wanted)) throw new Error(`It ended and never said ${wanted}: ${seen.err}`);
          }),
        ]);
      }
    },
    interrupt: () => void child.kill('SIGINT'),
    ended: exited.then(async ([code]) => ({ code: code ?? -1, out: await out, err: seen.err })),
  };
}
