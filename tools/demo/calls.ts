import { createHmac } from 'node:crypto';

import type { HttpClient } from '../shared/client.ts';
import { at, joinRoom, registerUser, texts, type User } from '../shared/matrix.ts';
import { administrators } from './administrators.ts';
import { joinedRooms, verify, verifyLeft, verifySame, verifyStatus } from './checks.ts';
import { federation } from './federation.ts';
import { moderation } from './moderation.ts';
import { serverNotices } from './notices.ts';
import { purging } from './purge.ts';
import { refreshDevices } from './refresh-devices.ts';
import { registrationTokens } from './registration-tokens.ts';
import { contentReports } from './reports.ts';
import { commandLine } from './command-line.ts';
import { admin, type Call, encode, type Stage, v3 } from './stage.ts';
import { jobCalls } from './jobs.ts';
import { operations } from './operations.ts';
import { searching } from './search.ts';

/** Every admin call that exists, in an order in which each finds what it needs. */
export function calls(stage: Stage): Call[] {
  return [
    ...health(stage),
    ...registration(stage),
    ...registrationTokens(stage),
    ...administrators(stage),
    ...moderation(stage),
    ...contentReports(stage),
    ...serverNotices(stage),
    ...searching(stage),
    ...whois(stage),
    ...resetPassword(stage),
    ...evacuateRoom(stage),
    ...evacuateUser(stage),
    ...jobCalls(stage),
    ...purging(stage),
    ...refreshDevices(stage),
    ...federation(stage),
    ...operations(stage.client, stage.world.admin),
    ...commandLine(stage),
  ];
}

function health({ client }: Stage): Call[] {
  return ['up', 'health'].map((name) => ({
    name: `GET /_dendrite/monitor/${name}`,
    size: '',
    run: () => client.request('GET', `/_dendrite/monitor/${name}`),
    check: async (answer) => verify(at(answer, 'status') === 200, `status ${String(at(answer, 'status'))}`),
  }));
}

function registration({ client, secret, sql }: Stage): Call[] {
  let starbuck: User | undefined;
  return [
    {
      name: 'GET, POST /_synapse/admin/v1/register',
      size: '1 account',
      run: async () => {
        starbuck = await registerUser(client, secret, 'starbuck');
        return starbuck;
      },
      check: async () => {
        const who = await client.expect('GET', `${v3}/account/whoami`, { token: starbuck?.token ?? '' });
        verify(who['user_id'] === starbuck?.userId, 'the new token is not of the new user');
        await verifyReplayRefused(client, secret);
      },
    },
    {
      name: 'UPDATE userapi_accounts SET account_type = 3 …',
      size: '1 administrator',
      run: () => sql("UPDATE userapi_accounts SET account_type = 3 WHERE localpart = 'starbuck';"),
      check: () =>
        verifyStatus(
          client,
          'GET',
          `${v3}/admin/whois/@admin:localhost`,
          { token: starbuck?.token ?? '' },
          200,
        ),
    },
  ];
}

/** A nonce is good for one attempt. */
async function verifyReplayRefused(client: HttpClient, secret: string): Promise<void> {
  const path = '/_synapse/admin/v1/register';
  const nonce = String((await client.expect('GET', path))['nonce']);
  const body = (username: string): object => {
    const mac = createHmac('sha1', secret)
      .update([nonce, username, 'a good password', 'notadmin'].join('\0'))
      .digest('hex');
    return { nonce, username, password: 'a good password', mac };
  };
  await verifyStatus(client, 'POST', path, { body: body('stubb') }, 200);
  await verifyStatus(client, 'POST', path, { body: body('flask') }, 400);
}

function whois({ client, world }: Stage): Call[] {
  const { traveller } = world;
  const path = `${v3}/admin/whois/${encode(traveller.userId)}`;
  return [
    {
      name: 'GET /_matrix/client/v3/admin/whois/{userId}',
      size: '1 user',
      run: () => client.expect('GET', path, { token: world.admin.token }),
      check: async (answer) => {
        const devices = at(answer, 'devices');
        verify(typeof devices === 'object' && devices !== null, 'there are no devices');
        verify(JSON.stringify(devices).includes('"last_seen"'), 'no connection has been seen');
        const stranger = world.members[0]?.token ?? '';
        await verifyStatus(client, 'GET', path, { token: stranger }, 403);
      },
    },
  ];
}

function resetPassword({ client, world }: Stage): Call[] {
  const user = world.members[0] as User;
  const path = `${admin}/resetPassword/${encode(user.userId)}`;
  const token = world.admin.token;
  const password = 'a brand new password';
  const login = async (secret: string): Promise<number> => {
    const identifier = { type: 'm.id.user', user: user.userId };
    const body = { type: 'm.login.password', identifier, password: secret };
    const answer = await client.request('POST', `${v3}/login`, { body });
    if (answer.status === 200) user.token = String(answer.body['access_token']);
    return answer.status;
  };
  return [
    {
      name: 'POST resetPassword?dry_run=true',
      size: '1 user',
      run: () => client.expect('POST', path, { token, query: { dry_run: 'true' }, body: { password } }),
      check: () => verifyStatus(client, 'GET', `${v3}/account/whoami`, { token: user.token }, 200),
    },
    {
      name: 'POST resetPassword (logout_devices)',
      size: '1 user',
      run: () => client.expect('POST', path, { token, body: { password, logout_devices: true } }),
      check: async () => {
        await verifyStatus(client, 'GET', `${v3}/account/whoami`, { token: user.token }, 401);
        verify((await login(user.password)) === 403, 'the old password still works');
        verify((await login(password)) === 200, 'the new password does not work');
      },
    },
  ];
}

function evacuateRoom({ client, world }: Stage): Call[] {
  const { bigRoom, members, invited, syncedTo } = world;
  const path = `${admin}/evacuateRoom/${encode(bigRoom)}`;
  const token = world.admin.token;
  const inside = [...members, ...invited];
  const everyone = [world.admin, ...inside].map((user) => user.userId);
  const size = `${everyone.length} users`;
  const affected = (answer: unknown): void =>
    verifySame(texts(at(answer, 'affected')), everyone, 'affected users');
  const first = members[0] as User;
  return [
    {
      name: 'POST evacuateRoom?dry_run=true',
      size,
      run: () => client.expect('POST', path, { token, query: { dry_run: 'true' } }),
      check: async (answer) => {
        affected(answer);
        verify(at(answer, 'counts', 'events') === everyone.length, 'the leave events are counted wrongly');
        verify(Number(at(answer, 'counts', 'bytes')) > 0, 'the bytes are not counted');
        verify((await joinedRooms(client, first)).includes(bigRoom), 'the rehearsal was no rehearsal');
      },
      show: rehearsed,
    },
    {
      name: 'POST evacuateRoom',
      size,
      run: () => client.expect('POST', path, { token }),
      check: async (answer) => {
        affected(answer);
        await verifyLeft(client, inside, [bigRoom], syncedTo);
        const send = `${v3}/rooms/${encode(bigRoom)}/send/m.room.message/late`;
        await verifyStatus(client, 'PUT', send, { token: first.token, body: { body: 'x' } }, 403);
      },
    },
    {
      name: 'POST evacuateRoom?block=true',
      size: '1 user who came back',
      run: async () => {
        await joinRoom(client, first, bigRoom);
        return client.expect('POST', path, { token, query: { block: 'true' } });
      },
      check: async (answer) => {
        verifySame(texts(at(answer, 'affected')), [first.userId], 'affected users');
        const join = `${v3}/join/${encode(bigRoom)}`;
        await verifyStatus(client, 'POST', join, { token: first.token, body: {} }, 403);
      },
    },
  ];
}

function evacuateUser({ client, world }: Stage): Call[] {
  const { traveller, rooms, invitations } = world;
  const path = `${admin}/evacuateUser/${encode(traveller.userId)}`;
  const token = world.admin.token;
  const all = [...rooms, ...invitations];
  const size = `${rooms.length} rooms, ${invitations.length} invites`;
  return [
    {
      name: 'POST evacuateUser?dry_run=true',
      size,
      run: () => client.expect('POST', path, { token, query: { dry_run: 'true' } }),
      check: async (answer) => {
        verifySame(texts(at(answer, 'affected')), all, 'affected rooms');
        verify(at(answer, 'counts', 'rooms') === all.length, 'the rooms are counted wrongly');
        verifySame(await joinedRooms(client, traveller), rooms, 'rooms still joined');
      },
      show: rehearsed,
    },
    {
      name: 'POST evacuateUser',
      size,
      run: () => client.expect('POST', path, { token }),
      check: async (answer) => {
        verifySame(texts(at(answer, 'affected')), all, 'affected rooms');
        verifySame(await joinedRooms(client, traveller), [], 'rooms still joined');
      },
    },
  ];
}

/** What a rehearsal counts, and how long it takes the call to last. */
function rehearsed(answer: unknown): string {
  const counts = Object.entries(at(answer, 'counts') as Record<string, number>)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what.replaceAll('_', ' ')}`);
  const estimate = at(answer, 'estimated_ms');
  const time = typeof estimate === 'number' ? `about ${(estimate / 1000).toFixed(2)} s` : 'no estimate yet';
  return `would be ${counts.join(', ')}: ${time}`;
}
