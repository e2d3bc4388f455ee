import type { HttpClient } from '../shared/client.ts';
import { at, type User } from '../shared/matrix.ts';
import type { Call } from './stage.ts';
import { verify, verifyStatus } from './checks.ts';

/** What those need who run the server: the description of the API, and what was done through it. */
export function operations(client: HttpClient, admin: User): Call[] {
  const { token } = admin;
  return [
    {
      name: 'GET /_seneschal/v1/openapi.json',
      size: 'all endpoints',
      run: () => client.expect('GET', '/_seneschal/v1/openapi.json'),
      check: async (answer) => {
        const paths = at(answer, 'paths');
        verify(typeof paths === 'object' && paths !== null, 'there are no paths');
        const evacuate = '/_dendrite/admin/evacuateRoom/{roomId}';
        verify(Object.keys(paths).includes(evacuate), 'evacuateRoom is not described');
      },
    },
    {
      name: 'GET /_seneschal/v1/self-check',
      size: 'the whole server',
      run: () => client.expect('GET', '/_seneschal/v1/self-check', { token }),
      check: async (answer) => {
        const found = (at(answer, 'findings') as { id: string }[]).map(({ id }) => id);
        const mustNotBe = [
          'check_failed',
          'missing_index',
          'invalid_index',
          'pending_migration',
          'redis_evicts',
        ];
        const wrong = found.filter((id) => mustNotBe.includes(id));
        verify(wrong.length === 0, `it found ${wrong.join(', ')}`);
      },
    },
    {
      name: 'GET /_seneschal/v1/webhooks, …/deliveries',
      size: 'no receiver',
      run: () => client.expect('POST', '/_seneschal/v1/webhooks/ping', { token }),
      check: async (answer) => {
        verify(at(answer, 'deliveries') === 0, 'somebody was told');
        const { receivers } = await client.expect('GET', '/_seneschal/v1/webhooks', { token });
        verify(JSON.stringify(receivers) === '[]', 'there are receivers');
        const deliveries = '/_seneschal/v1/webhooks/deliveries';
        await verifyStatus(client, 'GET', deliveries, { token }, 200);
        await verifyStatus(client, 'POST', `${deliveries}/none/retry`, { token }, 404);
      },
    },
    {
      name: 'GET /_seneschal/v1/audit',
      size: 'what this demo did',
      run: () => client.expect('GET', '/_seneschal/v1/audit', { token, query: { actor: admin.userId } }),
      check: async (answer) => {
        const entries = at(answer, 'entries') as { action: string }[];
        const actions = entries.map(({ action }) => action);
        verify(actions.includes('POST /_dendrite/admin/evacuateUser/:userId'), 'evacuateUser is not in it');
        verify(!JSON.stringify(entries).includes('a brand new password'), 'a password is in it');
      },
    },
  ];
}
