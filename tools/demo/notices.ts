import { at, type User } from '../shared/matrix.ts';
import { verify, verifyStatus } from './checks.ts';
import { type Call, encode, type Stage, v3 } from './stage.ts';

const path = '/_synapse/admin/v1/send_server_notice';

/** The user's only open invite. */
async function inviteOf({ client }: Stage, user: User): Promise<string> {
  const answer = await client.expect('GET', `${v3}/sync`, { token: user.token, query: { timeout: '0' } });
  const invites = Object.keys(at(answer, 'rooms', 'invite') ?? {});
  verify(invites.length === 1, `${user.userId} has ${invites.length} invites instead of one`);
  return invites[0] ?? '';
}

/** A notice to one user, who cannot turn it down, and one to several, as a job. */
export function serverNotices(stage: Stage): Call[] {
  const { client, world } = stage;
  const token = world.admin.token;
  const [user = world.admin, ...others] = world.members.slice(-4);
  const content = { msgtype: 'm.text', body: 'All hands on deck.' };
  const sent = new Set<unknown>();
  return [
    {
      name: 'PUT send_server_notice/{txnId}',
      size: '1 user, twice',
      run: async () => {
        for (const _ of [1, 2]) {
          const body = { user_id: user.userId, content };
          sent.add((await client.expect('PUT', `${path}/deck`, { token, body }))['event_id']);
        }
      },
      check: async () => {
        verify(sent.size === 1, 'the same transaction made two notices');
        const room = encode(await inviteOf(stage, user));
        const leave = { token: user.token, body: {} };
        await verifyStatus(client, 'POST', `${v3}/rooms/${room}/leave`, leave, 403);
        await verifyStatus(client, 'POST', `${v3}/rooms/${room}/join`, leave, 200);
        const event = `${v3}/rooms/${room}/event/${encode(String([...sent][0]))}`;
        await verifyStatus(client, 'GET', event, { token: user.token }, 200);
      },
    },
    {
      name: 'POST /_seneschal/v1/notices',
      size: `${others.length} users`,
      run: () => {
        const body = { content, user_ids: others.map((one) => one.userId), per_second: 100 };
        return client.expect('POST', '/_seneschal/v1/notices', { token, body });
      },
      check: async (answer) => {
        verify(at(answer, 'sent') === others.length, 'not every user got the notice');
        for (const one of others) await inviteOf(stage, one);
      },
    },
  ];
}
