import type { TestClient } from '@seneschal/testing';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.stop());

const client = '/_matrix/client/v3';
const path = (kind: 'suspend' | 'lock', userId: string): string =>
  `/_matrix/client/v1/admin/${kind}/${encodeURIComponent(userId)}`;

const set = (kind: 'suspend' | 'lock', userId: string, value: boolean) =>
  stage.ask('PUT', path(kind, userId), { [kind === 'lock' ? 'locked' : 'suspended']: value });

let count = 0;
async function member(): Promise<TestClient> {
  count += 1;
  return stage.world.register(`member${count}`, { password: 'the password' });
}

const encode = (text: string): string => encodeURIComponent(text);

describe.each([
  ['suspend', 'suspended'],
  ['lock', 'locked'],
] as const)('%s', (kind, state) => {
  itRefusesOthers(
    () => stage,
    'GET',
    () => [path(kind, stage.user.userId), path(kind, '@nobody:test.example'), path(kind, 'x')],
  );
  itRefusesOthers(
    () => stage,
    'PUT',
    () => [path(kind, stage.user.userId), path(kind, '@nobody:test.example')],
  );

  it('is set, read and taken back, once and again', async () => {
    const { userId } = await member();
    expect(await stage.ask('GET', path(kind, userId))).toEqual([200, { [state]: false }]);
    for (const value of [true, true, false, false]) {
      expect(await set(kind, userId, value)).toEqual([200, { [state]: value }]);
      expect(await stage.ask('GET', path(kind, userId))).toEqual([200, { [state]: value }]);
    }
  });

  it.each([
    ['another server', '@bob:other.example', 400, 'M_INVALID_PARAM'],
    ['no user ID', 'bob', 400, 'M_INVALID_PARAM'],
    ['nobody', '@nobody:test.example', 404, 'M_NOT_FOUND'],
    ['an administrator, oneself', '@admin:test.example', 403, 'M_FORBIDDEN'],
  ])('refuses %s', async (_, userId, status, errcode) => {
    const [read, body] = await stage.ask('GET', path(kind, userId));
    expect([read, body['errcode']]).toEqual([status, errcode]);
    const [written, answer] = await set(kind, userId, true);
    expect([written, answer['errcode']]).toEqual([status, errcode]);
  });

  it('refuses a deactivated account, and a body that says nothing', async () => {
    const user = await member();
    const put = path(kind, user.userId);
    expect((await stage.ask('PUT', put, {}))[0]).toBe(400);
    expect((await stage.ask('PUT', put, { [state]: 'false' }))[0]).toBe(400);
    const auth = { type: 'm.login.password', user: user.userId, password: 'the password' };
    await user.call('POST', '/account/deactivate', { auth });
    expect((await set(kind, user.userId, true))[0]).toBe(404);
  });
});

it('tells administrators, and nobody else, that they may', async () => {
  const told = async (who: TestClient) => (await who.call('GET', '/capabilities'))['capabilities'];
  expect(await told(stage.admin)).toMatchObject({ 'm.account_moderation': { suspend: true, lock: true } });
  expect(await told(stage.user)).not.toHaveProperty(['m.account_moderation']);
});

describe('a locked user', () => {
  const refused = [401, 'M_USER_LOCKED', true];
  const tried = async (who: TestClient, method: string, where: string, body: object = {}) => {
    const answer = await who.request(method, `${client}${where}`, method === 'GET' ? {} : { body });
    return [...errorOf(answer), answer.body['soft_logout']];
  };

  it('may do nothing but log out, and goes on as before once unlocked', async () => {
    const user = await member();
    const roomId = await user.createRoom();
    await set('lock', user.userId, true);
    for (const [method, where] of [
      ['GET', '/sync'],
      ['GET', '/account/whoami'],
      ['GET', '/capabilities'],
      ['PUT', `/rooms/${encode(roomId)}/send/m.room.message/1`],
      ['POST', '/keys/upload'],
      ['GET', `/admin/whois/${encode(user.userId)}`],
    ] as const) {
      expect(await tried(user, method, where)).toEqual(refused);
    }
    await set('lock', user.userId, false);
    expect(await user.joinedRooms()).toEqual([roomId]);
    await set('lock', user.userId, true);
    expect(await tried(user, 'POST', '/logout')).toEqual([200, undefined, undefined]);
    expect((await tried(user, 'GET', '/sync'))[1]).toBe('M_UNKNOWN_TOKEN');
  });

  it('gets no new token', async () => {
    const user = await member();
    const login = {
      type: 'm.login.password',
      user: user.userId,
      password: 'the password',
      refresh_token: true,
    };
    const session = await stage.world.request('POST', `${client}/login`, { body: login });
    await set('lock', user.userId, true);
    expect(await tried(user, 'POST', '/login', login)).toEqual(refused);
    const { refresh_token } = session.body;
    expect(await tried(user, 'POST', '/refresh', { refresh_token })).toEqual(refused);
    await set('lock', user.userId, false);
    expect((await tried(user, 'POST', '/refresh', { refresh_token }))[0]).toBe(200);
  });
});

describe('a suspended user', () => {
  let user: TestClient;
  let roomId: string;
  let mine: string;
  let theirs: string;
  let other: string;
  beforeAll(async () => {
    user = await member();
    roomId = await user.createRoom({ preset: 'public_chat', invite: [stage.user.userId] });
    await stage.user.join(roomId);
    const say = async (who: TestClient): Promise<string> =>
      (
        await who.call('PUT', `/rooms/${encode(roomId)}/send/m.room.message/1`, {
          body: 'x',
          msgtype: 'm.text',
        })
      )['event_id'] as string;
    mine = await say(user);
    theirs = await say(stage.user);
    other = await stage.user.createRoom({ preset: 'public_chat' });
    await stage.user.invite(other, user.userId);
    await set('suspend', user.userId, true);
  });

  const ask = async (method: string, where: string, body: object = {}) =>
    errorOf(await user.request(method, `${client}${where}`, method === 'GET' ? {} : { body }));

  it('may not take part', async () => {
    const room = `/rooms/${encode(roomId)}`;
    const target = { user_id: stage.user.userId };
    for (const [method, where, body] of [
      ['POST', '/createRoom', {}],
      ['POST', `/join/${encode(other)}`, {}],
      ['POST', `/rooms/${encode(other)}/join`, {}],
      ['POST', `/knock/${encode(other)}`, {}],
      ['POST', `${room}/invite`, target],
      ['POST', `${room}/kick`, target],
      ['POST', `${room}/ban`, target],
      ['POST', `${room}/unban`, target],
      ['POST', `${room}/upgrade`, { new_version: '12' }],
      ['PUT', `${room}/send/m.room.message/2`, {}],
      ['PUT', `${room}/state/m.room.topic/`, { topic: 'x' }],
      ['PUT', `${room}/redact/${theirs}/3`, {}],
      ['PUT', `/profile/${encode(user.userId)}/displayname`, { displayname: 'x' }],
      ['DELETE', `/profile/${encode(user.userId)}/m.tz`, {}],
      ['PUT', `/directory/room/${encode('#x:test.example')}`, { room_id: roomId }],
      ['PUT', `/directory/list/room/${encode(roomId)}`, { visibility: 'public' }],
    ] as const) {
      expect([where, await ask(method, where, body)]).toEqual([where, [403, 'M_USER_SUSPENDED']]);
    }
  });

  it('may read, tidy up and leave', async () => {
    const room = `/rooms/${encode(roomId)}`;
    const login = { type: 'm.login.password', user: user.userId, password: 'the password' };
    for (const [method, where, body] of [
      ['GET', '/sync', {}],
      ['GET', `${room}/messages?dir=b`, {}],
      ['PUT', `${room}/redact/${mine}/4`, {}],
      ['POST', '/keys/upload', {}],
      ['PUT', '/sendToDevice/m.key.verification.start/1', { messages: {} }],
      ['POST', '/login', login],
      ['POST', `/rooms/${encode(other)}/leave`, {}],
      ['POST', `${room}/leave`, {}],
    ] as const) {
      expect([where, await ask(method, where, body)]).toEqual([where, [200, undefined]]);
    }
  });

  it('takes part again afterwards', async () => {
    await set('suspend', user.userId, false);
    expect(await ask('POST', `/join/${encode(roomId)}`)).toEqual([200, undefined]);
  });
});
