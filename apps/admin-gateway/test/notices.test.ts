import { sql } from 'kysely';

import { roomserver, userapi } from '@seneschal/contracts';
import { startHomeserver } from '@seneschal/homeserver';
import { hashToken } from '@seneschal/http';
import { removeKeys, TestClient, uniqueName } from '@seneschal/testing';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_synapse/admin/v1/send_server_notice';
const notices = { settings: { SENESCHAL_SERVER_NOTICES: 'on' } };
const server = '@_server:test.example';
const content = { msgtype: 'm.text', body: 'The server restarts tonight.' };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(notices);
});
afterAll(() => stage.stop());

let number = 0;
const newUser = (): Promise<TestClient> => stage.world.register(`noticed${(number += 1)}`);

async function send(user: TestClient, fields: object = {}, txn?: string): Promise<string> {
  const [method, at]: [string, string] = txn === undefined ? ['POST', path] : ['PUT', `${path}/${txn}`];
  const [status, body] = await stage.ask(method, at, { user_id: user.userId, content, ...fields });
  expect([status, body]).toEqual([200, { event_id: expect.stringMatching(/^\$/) as string }]);
  return body['event_id'] as string;
}

async function roomsOf(user: TestClient): Promise<string[]> {
  const found = await sql<{ room_id: string }>`
    SELECT room_id FROM roomserver_memberships JOIN roomserver_rooms USING (room_nid)
    WHERE user_id = ${user.userId} AND membership = ANY('{join,invite}') ORDER BY room_nid
  `.execute(stage.world.sql);
  return found.rows.map((row) => row.room_id);
}

async function stored(eventId: string): Promise<Record<string, unknown>> {
  const found = await sql<{ json: string }>`
    SELECT json FROM roomserver_events WHERE event_id = ${eventId}`.execute(stage.world.sql);
  return JSON.parse(found.rows[0]?.json ?? '{}') as Record<string, unknown>;
}

const at = (roomId: string): string => `/rooms/${encodeURIComponent(roomId)}`;

describe('who may', () => {
  itRefusesOthers(
    () => stage,
    'POST',
    () => [path],
  );
  itRefusesOthers(
    () => stage,
    'PUT',
    () => [`${path}/txn`],
  );

  it('nobody where notices are off', async () => {
    const off = await Stage.open();
    try {
      const answer = await off.admin.request('POST', path, { body: { user_id: off.user.userId, content } });
      expect(errorOf(answer)).toEqual([404, 'M_UNRECOGNIZED']);
      expect(errorOf(await off.admin.request('POST', '/_seneschal/v1/notices', { body: {} }))).toEqual([
        404,
        'M_UNRECOGNIZED',
      ]);
    } finally {
      await off.stop();
    }
  });
});

describe('the notice room', () => {
  it('is made, tagged, named and read-only, and the user is invited', async () => {
    const user = await newUser();
    const eventId = await send(user);
    const [roomId = ''] = await roomsOf(user);
    expect(await stage.memberships(roomId)).toEqual({ [server]: 'join', [user.userId]: 'invite' });
    const synced = await user.call('GET', '/sync');
    expect(synced).toMatchObject({
      rooms: {
        invite: {
          [roomId]: {
            invite_state: {
              events: expect.arrayContaining([
                expect.objectContaining({ type: 'm.room.name', content: { name: 'Server Alerts' } }),
              ]) as unknown[],
            },
          },
        },
      },
    });
    const tags = await user.call('GET', `/user/${encodeURIComponent(user.userId)}${at(roomId)}/tags`);
    expect(tags).toEqual({ tags: { 'm.server_notice': { order: 1 } } });
    await user.join(roomId);
    const event = await user.call('GET', `${at(roomId)}/event/${encodeURIComponent(eventId)}`);
    expect(event).toMatchObject({ sender: server, type: 'm.room.message', content });
    const create = await user.call('GET', `${at(roomId)}/state/m.room.create`);
    expect(create['m.federate']).toBe(false);
    const written = await user.request('PUT', `/_matrix/client/v3${at(roomId)}/send/m.room.message/t`, {
      body: content,
    });
    expect(errorOf(written)).toEqual([403, 'M_FORBIDDEN']);
    const profile = await user.call('GET', `/profile/${encodeURIComponent(server)}`);
    expect(profile['displayname']).toBe('Server Alerts');
  });

  it('stays the same for all notices, also for those that are sent at once', async () => {
    const user = await newUser();
    await Promise.all(Array.from({ length: 6 }, () => send(user)));
    await send(user);
    expect(await roomsOf(user)).toHaveLength(1);
  });

  it('N1: is not mistaken for another room in common, however many there are', async () => {
    const user = await newUser();
    await send(user);
    const [notice = ''] = await roomsOf(user);
    const { bus } = stage.world.homeserver.platform;
    for (let count = 0; count < 3; count += 1) {
      const { roomId } = await bus.call(roomserver.createRoom, {
        creator: server,
        profile: {},
        preset: 'public_chat',
        listed: false,
        isDirect: false,
        invite: [],
        initialState: [],
        creationContent: {},
      });
      await user.join(roomId);
    }
    const eventId = await send(user);
    await user.join(notice);
    await expect(
      user.call('GET', `${at(notice)}/event/${encodeURIComponent(eventId)}`),
    ).resolves.toMatchObject({ content });
    expect(await roomsOf(user)).toHaveLength(4);
  });

  it('cannot be turned down, but be left once it was joined; the next notice invites anew', async () => {
    const user = await newUser();
    await send(user);
    const [roomId = ''] = await roomsOf(user);
    const refused = [403, 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM'];
    const leave = `/_matrix/client/v3${at(roomId)}/leave`;
    expect(errorOf(await user.request('POST', leave, { body: {} }))).toEqual(refused);
    const state = `/_matrix/client/v3${at(roomId)}/state/m.room.member/${encodeURIComponent(user.userId)}`;
    const asState = await user.request('PUT', state, { body: { membership: 'leave' } });
    expect(errorOf(asState)).toEqual(refused);
    await user.join(roomId);
    await user.leave(roomId);
    await send(user);
    expect(await stage.memberships(roomId)).toMatchObject({ [user.userId]: 'invite' });
    expect(await roomsOf(user)).toEqual([roomId]);
  });

  it('an administrator takes the user out of it, invited or joined', async () => {
    const user = await newUser();
    await send(user);
    const [roomId = ''] = await roomsOf(user);
    const evacuate = `/_dendrite/admin/evacuateUser/${encodeURIComponent(user.userId)}`;
    expect(await stage.ask('POST', evacuate)).toEqual([200, { affected: [roomId] }]);
    await send(user);
    await user.join(roomId);
    expect(await stage.ask('POST', evacuate)).toEqual([200, { affected: [roomId] }]);
    expect(await stage.memberships(roomId)).toMatchObject({ [user.userId]: 'leave' });
  });

  it('is made anew when it has been evacuated, or is no more', async () => {
    const user = await newUser();
    await send(user);
    const [first = ''] = await roomsOf(user);
    await stage.ask('POST', `/_dendrite/admin/evacuateRoom/${encodeURIComponent(first)}`);
    await Promise.all([send(user), send(user)]);
    const [second = '', ...more] = await roomsOf(user);
    expect([second === first, more]).toEqual([false, []]);
    await sql`DELETE FROM roomserver_rooms WHERE room_id = ${second}`.execute(stage.world.sql);
    await send(user);
    expect(await roomsOf(user)).not.toContain(second);
  });

  it('of a user is blocked by an administrator', async () => {
    const user = await newUser();
    await send(user);
    const [roomId = ''] = await roomsOf(user);
    await stage.ask('POST', `/_dendrite/admin/evacuateUser/${encodeURIComponent(user.userId)}`);
    await sql`INSERT INTO roomserver_blocked_rooms (room_id, blocked_by, created_ts)
      VALUES (${roomId}, '@admin:test.example', 0)`.execute(stage.world.sql);
    const answer = await stage.admin.request('POST', path, { body: { user_id: user.userId, content } });
    expect(errorOf(answer)).toEqual([403, 'M_FORBIDDEN']);
  });
});

describe('a notice', () => {
  it('N2: with a transaction is sent once, also after a restart, with another token and an empty Redis', async () => {
    const user = await newUser();
    const txn = `txn${number}`;
    const first = await send(user, {}, txn);
    expect(new Set(await Promise.all([1, 2, 3].map(() => send(user, {}, txn))))).toEqual(new Set([first]));
    const { config, logger } = stage.world.homeserver.platform;
    const prefix = uniqueName();
    const restarted = await startHomeserver({ ...config, redis_prefix: prefix }, { logger });
    try {
      const { userId } = stage.admin;
      const connection = { ip: '192.0.2.1', userAgent: 'test' };
      const login = { userId, deviceId: 'NEW', tokenHash: hashToken('new-token'), connection };
      await restarted.platform.bus.call(userapi.createDevice, login);
      const admin = new TestClient(restarted.address, { userId, deviceId: 'NEW', token: 'new-token' });
      const body = { user_id: user.userId, content };
      const answer = await admin.request('PUT', `${path}/${txn}`, { body });
      expect(answer.body).toEqual({ event_id: first });
      const other = await admin.request('PUT', `${path}/${txn}b`, { body });
      expect(other.body['event_id']).not.toBe(first);
    } finally {
      await restarted.stop();
      await removeKeys(config.redis_url, prefix);
    }
  });

  it('N2: of another administrator with the same transaction is another one', async () => {
    const user = await newUser();
    const other = await stage.world.register(`other${number}`, { admin: true });
    const first = await send(user, {}, 'shared');
    const answer = await other.request('PUT', `${path}/shared`, { body: { user_id: user.userId, content } });
    expect(answer.status).toBe(200);
    expect(answer.body['event_id']).not.toBe(first);
  });

  it('N3: goes through whole, with its type and state key', async () => {
    const user = await newUser();
    const rich = {
      ...content,
      format: 'org.matrix.custom.html',
      formatted_body: '<b>tonight</b>',
      'm.server_notice': { admin_contact: 'mailto:root@test.example', nested: [1, { a: null }] },
    };
    expect(await stored(await send(user, { content: rich }))).toMatchObject({ content: rich });
    const topic = { topic: 'News of the server' };
    const state = await send(user, { type: 'm.room.topic', state_key: '', content: topic });
    expect(await stored(state)).toMatchObject({ type: 'm.room.topic', state_key: '', content: topic });
    const custom = await send(user, { type: 'org.example.news', state_key: 'a', content: { n: 1 } });
    expect(await stored(custom)).toMatchObject({ type: 'org.example.news', state_key: 'a', sender: server });
  });

  it.each([
    ['nothing', ''],
    ['{}', {}],
    ['broken JSON', '{x'],
    ['no content', { user_id: '@user:test.example' }],
    ['content that is none', { user_id: '@user:test.example', content: 'x' }],
    ['no text', { user_id: '@user:test.example', content: { msgtype: 'm.text' } }],
    ['an empty text', { user_id: '@user:test.example', content: { msgtype: 'm.text', body: '' } }],
    ['no message type', { user_id: '@user:test.example', content: { body: 'x' } }],
    ['a number for the user', { user_id: 5, content }],
    ['a type with a NUL', { user_id: '@user:test.example', content, type: 'a\0' }],
    ['a type too long', { user_id: '@user:test.example', content, type: 'x'.repeat(256) }],
  ])('is refused with %s', async (_, body) => {
    expect(errorOf(await stage.admin.request('POST', path, { body }))).toEqual([400, 'M_BAD_JSON']);
  });

  it('takes a user of this server who is there', async () => {
    const refusal = async (userId: string): Promise<[number, unknown]> =>
      errorOf(await stage.admin.request('POST', path, { body: { user_id: userId, content } }));
    expect(await refusal('bo')).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refusal('@remote:elsewhere.example')).toEqual([403, 'M_FORBIDDEN']);
    expect(await refusal('@nobody:test.example')).toEqual([404, 'M_NOT_FOUND']);
    const gone = await newUser();
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE user_id = ${gone.userId}`.execute(
      stage.world.sql,
    );
    expect(await refusal(gone.userId)).toEqual([404, 'M_NOT_FOUND']);
    await send(await newUser());
    expect(await refusal(server)).toEqual([400, 'M_INVALID_PARAM']);
    const room =
      await sql`SELECT FROM roomserver_notice_rooms WHERE user_id = '@nobody:test.example'`.execute(
        stage.world.sql,
      );
    expect(room.rows).toEqual([]);
  });

  it('comes from an account that nobody can log in to', async () => {
    await send(await newUser());
    const login = await stage.world.request('POST', '/_matrix/client/v3/login', {
      body: { type: 'm.login.password', user: '_server', password: '' },
    });
    expect(errorOf(login)).toEqual([403, 'M_FORBIDDEN']);
  });
});
