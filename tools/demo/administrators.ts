import { at, type User } from '../shared/matrix.ts';
import { verify, verifyStatus } from './checks.ts';
import { type Call, encode, type Stage } from './stage.ts';

const adminPath = (user: User): string => `/_synapse/admin/v1/users/${encode(user.userId)}/admin`;

/** A member is made an administrator and an ordinary user again. */
export function administrators({ client, world }: Stage): Call[] {
  const token = world.admin.token;
  const [user = world.admin] = world.members.slice(-1);
  const path = adminPath(user);
  const set = (admin: boolean) => client.expect('PUT', path, { token, body: { admin } });
  return [
    {
      name: 'PUT users/{userId}/admin',
      size: '1 user, there and back',
      run: async () => {
        await set(true);
        const answer = await client.expect('GET', path, { token: user.token });
        await set(false);
        return answer;
      },
      check: async (answer) => {
        verify(at(answer, 'admin') === true, 'the user was no administrator');
        await verifyStatus(client, 'GET', path, { token: user.token }, 403);
        const own = adminPath(world.admin);
        await verifyStatus(client, 'PUT', own, { token, body: { admin: false } }, 400);
      },
    },
  ];
}
