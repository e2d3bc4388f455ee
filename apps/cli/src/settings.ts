import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { usage } from './exit-codes.ts';
import type { Host } from './host.ts';
import { firstLine } from './input.ts';
import { readPrivate, removePrivate, writePrivate } from './private-file.ts';

/** What `login` keeps. */
const stored = z.object({
  server: z.string(),
  token: z.string(),
  user_id: z.string().optional(),
  /** Of an admin token: `logout` revokes it by this. */
  token_id: z.string().optional(),
});
export type Stored = z.infer<typeof stored>;

export interface GlobalOptions {
  server?: string;
  tokenFile?: string;
  config?: string;
  json?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  reason?: string;
  wait: boolean;
  timeout: number;
  columns?: string[];
}

const defaultServer = 'http://127.0.0.1:8008';

/** Where `login` keeps the server and the token: --config, SENESCHAL_CLI_CONFIG or the user's configuration folder. */
export function configFileOf(host: Host, options: Pick<GlobalOptions, 'config'>): string {
  const folder = host.env['XDG_CONFIG_HOME'] ?? join(host.home, '.config');
  return options.config ?? host.env['SENESCHAL_CLI_CONFIG'] ?? join(folder, 'seneschal', 'cli.json');
}

/** What is kept; undefined when nothing is. Throws when others could read it, or it is broken. */
export function readStored(file: string): Stored | undefined {
  const text = readPrivate(file);
  if (text === undefined) return undefined;
  try {
    return stored.parse(JSON.parse(text));
  } catch {
    throw usage(`${file} cannot be read. Remove it and log in again with \`seneschal login\`.`);
  }
}

/** Keeps a token for the user of this machine alone. */
export function writeStored(file: string, value: Stored): void {
  writePrivate(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

export function removeStored(file: string): void {
  removePrivate(file);
}

export interface Connection {
  server: string;
  token: string | undefined;
}

/** The server and the token: options over environment over what is kept. Throws usage errors. */
export async function connectionOf(host: Host, options: GlobalOptions): Promise<Connection> {
  const given = options.server ?? host.env['SENESCHAL_CLI_SERVER'];
  const token = await tokenOf(host, options);
  const kept =
    given === undefined || token === undefined ? readStored(configFileOf(host, options)) : undefined;
  const server = serverUrl(given ?? kept?.server ?? defaultServer);
  // A token that is kept is for its server, and is shown to no other.
  return { server, token: token ?? (kept?.server === server ? kept.token : undefined) };
}

async function tokenOf(host: Host, { tokenFile }: GlobalOptions): Promise<string | undefined> {
  if (tokenFile === undefined) return host.env['SENESCHAL_CLI_TOKEN'];
  const text = tokenFile === '-' ? await firstLine(host.stdin) : readText(tokenFile);
  const token = text.trim();
  if (!/^\S+$/.test(token)) throw usage('--token-file: there is no token in it.');
  return token;
}

/** The text of a file that an option names. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
  }
}

/** Throws unless it is the address of a server. */
export function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw usage(
      `--server: ${text} is not an address such as https://matrix.example.org or http://127.0.0.1:8008.`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
