import { at, createRoom } from '../shared/matrix.ts';
import { verify, verifyStatus } from './checks.ts';
import { admin, type Call, encode, type Stage } from './stage.ts';

const path = '/_seneschal/v1/federation';
const elsewhere = 'elsewhere.invalid';

/** The demo's server is alone: what can be seen is what is refused, and that nothing is said to have happened. */
export function federation({ client, world }: Stage): Call[] {
  const { token } = world.admin;
  const names = (answer: unknown, list: string): unknown[] =>
    (at(answer, list) as unknown[]).map((one) => at(one, 'server_name'));
  return [
    {
      name: 'GET /_seneschal/v1/federation/destinations',
      size: '',
      run: () => client.expect('GET', `${path}/destinations`, { token }),
      check: async (answer) => {
        verify(Array.isArray(at(answer, 'destinations')), 'there is no list');
        for (const rest of ['', '/rooms']) {
          await verifyStatus(client, 'GET', `${path}/destinations/${elsewhere}${rest}`, { token }, 404);
        }
        await verifyStatus(client, 'POST', `${path}/destinations/${elsewhere}/reset`, { token }, 404);
      },
    },
    {
      name: 'PUT, GET, DELETE /_seneschal/v1/federation/blocks',
      size: '1 server',
      run: () => client.expect('PUT', `${path}/blocks/${elsewhere}`, { token, body: { note: 'demo' } }),
      check: async () => {
        const listed = await client.expect('GET', `${path}/blocks`, { token });
        verify(names(listed, 'blocks').includes(elsewhere), 'the block is not listed');
        const refreshed = `${admin}/refreshDevices/${encode(`@ishmael:${elsewhere}`)}`;
        const answer = await client.request('POST', refreshed, { token });
        verify(String(answer.body['error']).includes('has blocked'), 'the blocked server was asked');
        await verifyStatus(client, 'DELETE', `${path}/blocks/${elsewhere}`, { token }, 200);
        await verifyStatus(client, 'DELETE', `${path}/blocks/${elsewhere}`, { token }, 404);
      },
    },
    {
      name: 'POST downloadState from a server that is not there',
      size: '1 room',
      run: async () => {
        const roomId = await createRoom(client, world.admin, { name: 'Broken' });
        return client.request('POST', `${admin}/downloadState/127.0.0.1:1/${encode(roomId)}`, { token });
      },
      check: async (answer) => {
        verify(at(answer, 'status') === 502, `status ${String(at(answer, 'status'))}`);
        const unknown = `${admin}/downloadState/127.0.0.1:1/${encode('!none:localhost')}`;
        await verifyStatus(client, 'GET', unknown, { token }, 404);
      },
    },
  ];
}
