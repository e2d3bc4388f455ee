import { at } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { verify, verifyStatus } from './checks.ts';
import { admin, type Call, type Stage, v3 } from './stage.ts';

/** People who try to register at once with a token for one of them. */
const crowd = 20;

/** A token for one, made by Dendrite's call, used by a crowd, looked at and removed by Synapse's. */
export function registrationTokens(stage: Stage): Call[] {
  const { client, world } = stage;
  const token = world.admin.token;
  const invitation = 'pequod';
  const path = `/_synapse/admin/v1/registration_tokens/${invitation}`;
  return [
    {
      name: 'POST registrationTokens/new',
      size: `1 use, ${crowd} who try`,
      run: async () => {
        const body = { token: invitation, uses_allowed: 1 };
        await client.expect('POST', `${admin}/registrationTokens/new`, { token, body });
        const names = Array.from({ length: crowd }, (_, index) => `sailor${index}`);
        const statuses: number[] = [];
        await parallel(names, 8, async (name) => void statuses.push(await register(stage, name, invitation)));
        return statuses;
      },
      check: async (statuses) => {
        const made = (statuses as number[]).filter((status) => status === 200);
        verify(made.length === 1, `${made.length} accounts were made with a token for one`);
      },
    },
    {
      name: 'GET registration_tokens/{token}, …/users',
      size: '1 token',
      run: () => client.expect('GET', path, { token }),
      check: async (answer) => {
        verify(at(answer, 'completed') === 1 && at(answer, 'pending') === 0, 'the token is counted wrongly');
        const { users } = await client.expect('GET', `${path}/users`, { token });
        verify(Array.isArray(users) && users.length === 1, 'who came by the token is not known');
      },
    },
    {
      name: 'DELETE registration_tokens/{token}',
      size: '1 token',
      run: () => client.expect('DELETE', path, { token }),
      check: () => verifyStatus(client, 'GET', path, { token }, 404),
    },
  ];
}

/** Registers as a client does, stage by stage; answers the last status. */
async function register({ client }: Stage, username: string, invitation: string): Promise<number> {
  const password = `a good password of ${username}`;
  const ask = (auth?: object) =>
    client.request('POST', `${v3}/register`, { body: { username, password, auth } });
  const { session } = (await ask()).body;
  await ask({ type: 'm.login.registration_token', token: invitation, session });
  return (await ask({ type: 'm.login.dummy', session })).status;
}
