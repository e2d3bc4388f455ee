import { at, createRoom, joinRoom, type User } from '../shared/matrix.ts';
import { joinedRooms, verify, verifyStatus } from './checks.ts';
import { admin, type Call, encode, type Stage } from './stage.ts';

const jobs = '/_seneschal/v1/jobs';

/** A call that is answered with its job at once, and the job followed to its end. */
export function jobCalls({ client, world }: Stage): Call[] {
  const { token } = world.admin;
  const [host, guest] = world.members as [User, User];
  let roomId = '';
  let jobId = '';
  return [
    {
      name: 'POST evacuateRoom (Prefer: respond-async)',
      size: '2 users',
      run: async () => {
        roomId = await createRoom(client, host, { name: 'The Spouter-Inn' });
        await joinRoom(client, guest, roomId);
        const headers = { Prefer: 'respond-async' };
        return client.request('POST', `${admin}/evacuateRoom/${encode(roomId)}`, { token, headers });
      },
      check: async (answer) => {
        verify(at(answer, 'status') === 202, `status ${String(at(answer, 'status'))}`);
        jobId = String(at(at(answer, 'body'), 'job_id'));
        for (let state = ''; state !== 'completed';) {
          state = String((await client.expect('GET', `${jobs}/${jobId}`, { token }))['state']);
          verify(['queued', 'running', 'completed'].includes(state), `the job is ${state}`);
        }
        verify(!(await joinedRooms(client, guest)).includes(roomId), 'the guest is still in');
      },
    },
    {
      name: 'GET /_seneschal/v1/jobs, …/{jobID}/items',
      size: '1 job',
      run: () => client.expect('GET', jobs, { token, query: { target: roomId } }),
      check: async (answer) => {
        const [job] = at(answer, 'jobs') as { job_id: string; done: number }[];
        verify(job?.job_id === jobId && job.done === 2, 'the job is not listed as it was');
        const { items } = await client.expect('GET', `${jobs}/${jobId}/items`, { token });
        verify(Array.isArray(items) && items.length === 2, 'who has left is not known');
        await verifyStatus(client, 'POST', `${jobs}/${jobId}/cancel`, { token }, 409);
      },
    },
  ];
}
