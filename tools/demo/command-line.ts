import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { at, type User } from '../shared/matrix.ts';
import { joinedRooms, verify } from './checks.ts';
import type { Call, Stage } from './stage.ts';

/** The build puts it beside this program. */
const program = fileURLToPath(new URL('cli.mjs', import.meta.url));

/** A few calls as an operator makes them from a shell, each in a process of its own. */
export function commandLine({ client, world }: Stage): Call[] {
  const user = world.members[1] as User;
  const seneschal = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '--json'], {
      env: { SENESCHAL_CLI_SERVER: client.address, SENESCHAL_CLI_TOKEN: world.admin.token },
    });
    return JSON.parse(stdout) as unknown;
  };
  return [
    {
      name: 'seneschal jobs list',
      size: 'what this demo started',
      run: () => seneschal('jobs', 'list', '--state', 'completed'),
      check: async (answer) => verify((at(answer, 'jobs') as unknown[]).length > 0, 'there are no jobs'),
    },
    {
      name: 'seneschal users evacuate, as a job',
      size: '1 user',
      run: () => seneschal('users', 'evacuate', user.userId, '--yes', '--reason', 'The demo'),
      check: async () =>
        verify((await joinedRooms(client, user)).length === 0, 'the user is still in a room'),
    },
    {
      name: 'seneschal audit list',
      size: '1 call',
      run: () => seneschal('audit', 'list', '--limit', '1'),
      check: async (answer) =>
        verify(JSON.stringify(answer).includes('"reason":"The demo"'), 'the reason is not in the audit log'),
    },
  ];
}
