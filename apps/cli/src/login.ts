import type { Command } from 'commander';

import { Client } from './client.ts';
import { CliError, exitCodes, Refused, usage } from './exit-codes.ts';
import type { Host } from './host.ts';
import { readSecret } from './input.ts';
import {
  configFileOf,
  connectionOf,
  type GlobalOptions,
  readStored,
  removeStored,
  serverUrl,
  type Stored,
  writeStored,
} from './settings.ts';

interface LoginOptions extends GlobalOptions {
  user?: string;
  passwordFile?: string;
  loginServer?: string;
  adminToken?: boolean;
  scopes: string;
  expiresDays: string;
}

const day = 86_400_000;
const client = '/_matrix/client/v3';
const adminTokens = '/_seneschal/v1/admin-tokens';

const examples = `
Examples:
  seneschal login --server https://admin.example.org --user alice
  seneschal login --server http://127.0.0.1:8008 --user alice --admin-token --scopes read,rooms --expires-days 30
  seneschal login --server http://127.0.0.1:8008 --token-file token.txt

The password is asked for. The token is kept in ~/.config/seneschal/cli.json (or --config), mode 0600. With
--token-file it is the one that is kept, and nobody logs in. An admin token belongs to no device and has the
scopes it was made with; users sessions is for a session of an administrator.`;

/** `seneschal login` and `seneschal logout`. */
export function addLogin(program: Command, host: Host): void {
  const login = program
    .command('login')
    .description('Log in as an administrator, and keep the server and the token')
    .option('--user <name>', 'the user ID or localpart of the administrator')
    .option('--password-file <file>', 'file with the password, - for standard input; else it is asked for')
    .option('--login-server <url>', 'address of the client-server API, where it is not that of the admin API')
    .option('--admin-token', 'keep an admin token for this machine, instead of a session')
    .option('--scopes <scopes>', 'of the admin token', 'read,users,rooms,media,federation,server')
    .option('--expires-days <days>', 'of the admin token', '90')
    .addHelpText('after', examples);
  login.action(() => logIn(host, login.optsWithGlobals<LoginOptions>()));
  const logout = program
    .command('logout')
    .description('End the session or revoke the admin token, and forget it')
    .addHelpText('after', '\nExamples:\n  seneschal logout');
  logout.action(() => logOut(host, logout.optsWithGlobals<GlobalOptions>()));
}

async function logIn(host: Host, options: LoginOptions): Promise<void> {
  const file = configFileOf(host, options);
  const kept = await storedBy(host, options);
  writeStored(file, kept);
  host.stdout.write(
    `Logged in to ${kept.server}${kept.user_id === undefined ? '' : ` as ${kept.user_id}`}. Kept in ${file}.\n`,
  );
}

async function storedBy(host: Host, options: LoginOptions): Promise<Stored> {
  const connection = await connectionOf(host, options);
  const { server } = connection;
  const timeoutMs = options.timeout * 1000;
  if (options.tokenFile !== undefined && connection.token !== undefined) {
    await requireAdmin(new Client(server, connection.token, timeoutMs));
    return { server, token: connection.token };
  }
  if (options.user === undefined) throw usage('Say who: --user NAME, or give a token with --token-file.');
  const password = await readSecret(host, {
    file: options.passwordFile,
    name: 'Password',
    flag: 'password-file',
  });
  const at = options.loginServer === undefined ? server : serverUrl(options.loginServer);
  const session = await openSession(new Client(at, undefined, timeoutMs), host, options.user, password);
  const asUser = new Client(server, session.access_token, timeoutMs);
  const atLogin = new Client(at, session.access_token, timeoutMs);
  try {
    await requireAdmin(asUser);
    if (options.adminToken !== true) return { server, token: session.access_token, user_id: session.user_id };
    const made = await makeAdminToken(asUser, host, options);
    await endSession(atLogin);
    return { server, token: made.token, token_id: made.id, user_id: session.user_id };
  } catch (error) {
    await endSession(atLogin);
    throw error;
  }
}

async function openSession(
  at: Client,
  { machine }: Host,
  user: string,
  password: string,
): Promise<{ access_token: string; user_id: string }> {
  const answer = await at.call('POST', `${client}/login`, {
    body: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user },
      password,
      initial_device_display_name: `Seneschal command line on ${machine}`,
    },
  });
  return answer.body as { access_token: string; user_id: string };
}

/** Throws unless the token may call the admin API. */
async function requireAdmin(admin: Client): Promise<void> {
  await admin.call('GET', '/_seneschal/v1/jobs', { query: { limit: '1' } });
}

async function makeAdminToken(
  admin: Client,
  { machine }: Host,
  { scopes, expiresDays }: LoginOptions,
): Promise<{ id: string; token: string }> {
  const days = Number(expiresDays);
  if (!(days > 0 && days <= 3650)) throw usage('--expires-days: is a number of days up to 3650.');
  const answer = await admin.call('POST', adminTokens, {
    body: {
      name: `command line on ${machine}`.slice(0, 100),
      scopes: scopes.split(',').map((scope) => scope.trim()),
      expires_ts: Date.now() + days * day,
    },
  });
  return answer.body as { id: string; token: string };
}

async function endSession(user: Client): Promise<void> {
  await user.call('POST', `${client}/logout`, { body: {} }).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
  });
}

async function logOut(host: Host, options: GlobalOptions): Promise<void> {
  const file = configFileOf(host, options);
  const kept = readStored(file);
  if (kept === undefined) throw usage(`Nobody is logged in: there is no ${file}.`);
  const user = new Client(kept.server, kept.token, options.timeout * 1000);
  try {
    if (kept.token_id === undefined) await user.call('POST', `${client}/logout`, { body: {} });
    else await user.call('DELETE', `${adminTokens}/${encodeURIComponent(kept.token_id)}`);
  } catch (error) {
    // A token that is not known any more is as good as one that was ended.
    if (!(error instanceof Refused) || error.status !== 401) {
      removeStored(file);
      const reason = error instanceof CliError ? error.message : '';
      throw new CliError(exitCodes.refused, `${file} is removed, but the token still works: ${reason}`);
    }
  }
  removeStored(file);
  host.stdout.write(`Logged out of ${kept.server}.\n`);
}
