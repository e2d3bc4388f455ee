import { at, type User } from '../shared/matrix.ts';
import { verify, verifyStatus } from './checks.ts';
import { type Call, encode, type Stage, v3 } from './stage.ts';

interface Kind {
  name: 'suspend' | 'lock';
  state: 'suspended' | 'locked';
  /** What the user may not do meanwhile, and what it is answered with. */
  refused: { method: string; path: string; status: number };
}

const kinds: readonly Kind[] = [
  { name: 'suspend', state: 'suspended', refused: { method: 'POST', path: '/createRoom', status: 403 } },
  { name: 'lock', state: 'locked', refused: { method: 'GET', path: '/account/whoami', status: 401 } },
];

/** A member is suspended, then locked, and each is taken back. */
export function moderation({ client, world }: Stage): Call[] {
  const token = world.admin.token;
  const [user = world.admin] = world.members.slice(-1);
  return kinds.map((kind) => call(kind, user));

  function call({ name, state, refused }: Kind, { userId, token: own }: User): Call {
    const path = `/_matrix/client/v1/admin/${name}/${encode(userId)}`;
    const set = (value: boolean) => client.expect('PUT', path, { token, body: { [state]: value } });
    return {
      name: `GET, PUT /_matrix/client/v1/admin/${name}/{userId}`,
      size: '1 user, there and back',
      run: async () => {
        await set(true);
        const body = refused.method === 'GET' ? {} : { body: {} };
        const where = `${v3}${refused.path}`;
        await verifyStatus(client, refused.method, where, { token: own, ...body }, refused.status);
        const answer = await client.expect('GET', path, { token });
        await set(false);
        return answer;
      },
      check: async (answer) => {
        verify(at(answer, state) === true, `the user was not ${state}`);
        await client.expect('GET', `${v3}/account/whoami`, { token: own });
        await verifyStatus(client, 'PUT', path, { token: own, body: { [state]: true } }, 403);
      },
    };
  }
}
