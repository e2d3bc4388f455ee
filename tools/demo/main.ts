import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

import pg from 'pg';

import { main as startHomeserver } from '../../apps/homeserver/src/main.ts';
import { HttpClient } from '../shared/client.ts';
import type { User } from '../shared/matrix.ts';
import { calls } from './calls.ts';
import { Unverified } from './checks.ts';
import { Screen } from './screen.ts';
import { makeWorld, type Sizes } from './world.ts';

interface Context {
  args: string[];
  env: Record<string, string | undefined>;
}

const help = `npm run demo -- [--keep] [--members N] [--rooms N] [--messages N]

Starts a whole server, makes a world through the client API, runs every admin call on it and checks each
result as the affected users see it. Ends with exit code 0 only if every check held.

  --keep        stay up afterwards, and print the address, the administrator's token and lines to paste
  --members N   local users in one room (1000)
  --rooms N     rooms of one user (100)
  --messages N  messages in the big room (500)
`;

/** @returns the exit code */
export async function main(context: Context): Promise<number> {
  const { values } = parseArgs({
    args: context.args,
    options: {
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      members: { type: 'string', default: '1000' },
      rooms: { type: 'string', default: '100' },
      messages: { type: 'string', default: '500' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const members = Number(values.members);
  const sizes: Sizes = {
    members,
    invited: Math.ceil(members / 20),
    messages: Number(values.messages),
    rooms: Number(values.rooms),
  };
  return run(context, sizes, values.keep);
}

async function run(context: Context, sizes: Sizes, keep: boolean): Promise<number> {
  const secret = randomBytes(32).toString('base64url');
  const env: Record<string, string | undefined> = {
    ...context.env,
    SENESCHAL_REGISTRATION_SHARED_SECRET: secret,
    SENESCHAL_REGISTRATION_ENABLED: 'on',
    SENESCHAL_REGISTRATION_REQUIRES_TOKEN: 'on',
    SENESCHAL_SERVER_NOTICES: 'on',
    SENESCHAL_RATE_LIMITS: 'off',
    SENESCHAL_LISTEN: context.env['SENESCHAL_LISTEN'] ?? '127.0.0.1:0',
    SENESCHAL_LOG_LEVEL: context.env['SENESCHAL_LOG_LEVEL'] ?? 'warn',
    // Real passwords cost 70 ms each; a thousand of the demo's need not.
    SENESCHAL_BCRYPT_COST: context.env['SENESCHAL_BCRYPT_COST'] ?? '4',
  };
  const screen = new Screen(process.stdout);
  const server = await startHomeserver({ env });
  const client = new HttpClient(server.address);
  const database = new pg.Client(env['SENESCHAL_DATABASE_URL']);
  try {
    await database.connect();
    screen.line(`Seneschal is up at ${server.address}. Making a world:`);
    const world = await makeWorld(client, secret, sizes, screen);
    const sql = async (statement: string): Promise<void> => {
      await database.query(statement);
    };
    screen.line('Every admin call, and whether the clients see what it did:');
    for (const call of calls({ client, world, secret, sql })) await runCall(call, screen);
    screen.line(screen.failures === 0 ? 'Every check held.' : `${screen.failures} checks did not hold.`);
    if (keep) await stay(server.address, world.admin, world.bigRoom, screen);
    return screen.failures === 0 ? 0 : 1;
  } finally {
    client.close();
    await database.end();
    await server.stop();
  }
}

async function runCall(call: ReturnType<typeof calls>[number], screen: Screen): Promise<void> {
  const started = performance.now();
  let milliseconds = 0;
  try {
    const answer = await call.run();
    milliseconds = performance.now() - started;
    await call.check(answer);
    screen.result(call.name, call.size, milliseconds, undefined);
    if (call.show !== undefined) screen.line(`  ${call.show(answer)}`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const problem = error instanceof Unverified ? error.message : `${error.name}: ${error.message}`;
    screen.result(call.name, call.size, milliseconds || performance.now() - started, problem);
  }
}

async function stay(address: string, admin: User, roomId: string, screen: Screen): Promise<void> {
  const curl = `curl -H 'Authorization: Bearer ${admin.token}'`;
  screen.line(`
address              ${address}
administrator        ${admin.userId}, password '${admin.password}'
access token         ${admin.token}

${curl} -X POST '${address}/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}?dry_run=true'
${curl} -X POST '${address}/_dendrite/admin/evacuateUser/@user1:localhost'
${curl} '${address}/_matrix/client/v3/admin/whois/@user1:localhost'
${curl} -X POST '${address}/_dendrite/admin/resetPassword/user1' -d '{"password":"a good password"}'

Ctrl-C stops it.`);
  await once(process, 'SIGINT');
}
