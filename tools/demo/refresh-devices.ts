import { at } from '../shared/matrix.ts';
import { verify, verifyStatus } from './checks.ts';
import { admin, type Call, encode, type Stage } from './stage.ts';

/** The demo's server is alone: what can be seen is that a call that did not do its work does not say 200. */
export function refreshDevices({ client, world }: Stage): Call[] {
  const { token } = world.admin;
  const path = (userId: string): string => `${admin}/refreshDevices/${encode(userId)}`;
  return [
    {
      name: 'POST refreshDevices of a server that is not there',
      size: '1 user',
      run: () => client.request('POST', path('@ishmael:127.0.0.1:1'), { token }),
      check: async (answer) => {
        verify(at(answer, 'status') === 502, `status ${String(at(answer, 'status'))}`);
        verify(String(at(at(answer, 'body'), 'error')).includes('127.0.0.1'), 'the reason is not told');
        await verifyStatus(client, 'POST', path(world.admin.userId), { token }, 400);
      },
    },
  ];
}
