import { at, type User } from '../shared/matrix.ts';
import { verify, verifyStatus } from './checks.ts';
import { type Call, encode, type Stage, v3 } from './stage.ts';

const eventReports = '/_synapse/admin/v1/event_reports';
const reports = '/_seneschal/v1/reports';

/** Two members report one message, an administrator takes the report and resolves it. */
export function contentReports({ client, world }: Stage): Call[] {
  const token = world.admin.token;
  const reporters = world.members.slice(0, 2);
  const [sender = world.admin] = world.members.slice(-1);
  const room = encode(world.bigRoom);
  let reportId = '';
  const report = (user: User, eventId: string) =>
    client.expect('POST', `${v3}/rooms/${room}/report/${encode(eventId)}`, {
      token: user.token,
      body: { reason: 'mutiny' },
    });
  return [
    {
      name: 'POST …/report/{eventId}, GET event_reports',
      size: '2 reports',
      run: async () => {
        const path = `${v3}/rooms/${room}/send/m.room.message/mutiny`;
        const body = { msgtype: 'm.text', body: 'Let us turn the ship around!' };
        const sent = await client.expect('PUT', path, { token: sender.token, body });
        for (const user of reporters) await report(user, String(sent['event_id']));
        return client.expect('GET', eventReports, { token, query: { room_id: world.bigRoom } });
      },
      check: async (answer) => {
        verify(at(answer, 'total') === reporters.length, 'not every report is in the list');
        verify(at(answer, 'event_reports', '0', 'sender') === sender.userId, 'the sender is wrong');
        reportId = String(at(answer, 'event_reports', '0', 'id'));
      },
    },
    {
      name: 'PUT /_seneschal/v1/reports/{id}',
      size: '1 report',
      run: async () => {
        const path = `${reports}/${reportId}`;
        await client.expect('PUT', path, { token, body: { assignee: world.admin.userId } });
        return client.expect('PUT', path, { token, body: { status: 'resolved' } });
      },
      check: async (answer) => {
        verify(at(answer, 'status') === 'resolved', 'the report is not resolved');
        verify(at(answer, 'event_json', 'type') === 'm.room.message', 'the event is not shown');
        const query = { room_id: world.bigRoom, status: 'new' };
        const left = await client.expect('GET', reports, { token, query });
        verify(left['total'] === reporters.length - 1, 'the other report is not new');
      },
    },
    {
      name: 'DELETE event_reports/{id}',
      size: '1 report',
      run: () => client.expect('DELETE', `${eventReports}/${reportId}`, { token }),
      check: () => verifyStatus(client, 'GET', `${eventReports}/${reportId}`, { token }, 404),
    },
  ];
}
