import type { HttpClient } from '../shared/client.ts';
import { at, type User } from '../shared/matrix.ts';
import type { Call } from './stage.ts';
import { verify } from './checks.ts';

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
