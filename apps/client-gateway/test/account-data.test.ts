import { startWorld, type TestClient, type World } from '@seneschal/testing';

let world: World;
let alice: TestClient;
let mallory: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice');
  mallory = await world.register('mallory');
});
afterAll(() => world.stop());

const base = '/_matrix/client/v3';
const room = encodeURIComponent('!room:test.example');
const own = (path: string): string => `/user/${encodeURIComponent(alice.userId)}${path}`;

describe('profiles', () => {
  const path = (part = ''): string => `/profile/${encodeURIComponent(alice.userId)}${part}`;

  it('are set by their user and read by anyone', async () => {
    await expect(alice.call('GET', path())).resolves.toEqual({});
    await alice.call('PUT', path('/displayname'), { displayname: 'Alice' });
    await alice.call('PUT', path('/avatar_url'), { avatar_url: 'mxc://test.example/a' });
    const answer = await world.request('GET', `${base}${path()}`);
    expect(answer.body).toEqual({ displayname: 'Alice', avatar_url: 'mxc://test.example/a' });
    await alice.call('PUT', path('/avatar_url'), { avatar_url: null });
    expect((await alice.request('GET', `${base}${path('/avatar_url')}`)).status).toBe(404);
    await expect(alice.call('GET', path('/displayname'))).resolves.toEqual({ displayname: 'Alice' });
  });

  it.each([
    ['@nobody:test.example', 404, 'M_NOT_FOUND'],
    // Another server is asked for who is logged in only.
    ['@alice:other.example', 401, 'M_MISSING_TOKEN'],
    ['alice', 400, 'M_INVALID_PARAM'],
    ['@a\0:test.example', 400, 'M_INVALID_PARAM'],
  ])('of %j', async (userId, status, errcode) => {
    const answer = await world.request('GET', `${base}/profile/${encodeURIComponent(userId)}`);
    expect(answer).toMatchObject({ status, body: { errcode } });
  });

  it('are refused to others', async () => {
    const body = { displayname: 'Mallory' };
    const answer = await mallory.request('PUT', `${base}${path('/displayname')}`, { body });
    expect(answer).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  });
});

describe('account data', () => {
  it('comes back as it was set', async () => {
    const content = { z: 1, a: ['ü', null, 1.5, 'nul \0'] };
    await alice.call('PUT', own('/account_data/org.example'), content);
    await expect(alice.call('GET', own('/account_data/org.example'))).resolves.toEqual(content);
    await alice.call('PUT', own(`/rooms/${room}/account_data/org.example`), { room: true });
    await expect(alice.call('GET', own(`/rooms/${room}/account_data/org.example`))).resolves.toEqual({
      room: true,
    });
  });

  it.each([
    ['GET', '/account_data/none', undefined, 404, 'M_NOT_FOUND'],
    ['PUT', '/account_data/m.push_rules', {}, 405, 'M_BAD_JSON'],
    ['PUT', `/rooms/${room}/account_data/m.fully_read`, {}, 405, 'M_BAD_JSON'],
    ['PUT', '/account_data/x', [], 400, 'M_BAD_JSON'],
    ['PUT', '/account_data/x', '{', 400, 'M_NOT_JSON'],
    ['PUT', '/account_data/%00', {}, 400, 'M_INVALID_PARAM'],
    ['PUT', '/rooms/room/account_data/x', {}, 400, 'M_INVALID_PARAM'],
  ])('%s %s is refused', async (method, path, body, status, errcode) => {
    const answer = await alice.request(method, `${base}${own(path)}`, body === undefined ? {} : { body });
    expect(answer).toMatchObject({ status, body: { errcode } });
  });

  it.each([
    ['GET', '/account_data/x'],
    ['PUT', '/account_data/x'],
    ['GET', `/rooms/${room}/account_data/x`],
    ['PUT', `/rooms/${room}/account_data/x`],
    ['GET', `/rooms/${room}/tags`],
    ['PUT', `/rooms/${room}/tags/x`],
    ['DELETE', `/rooms/${room}/tags/x`],
  ])('%s %s is refused to others', async (method, path) => {
    const answer = await mallory.request(method, `${base}${own(path)}`, method === 'PUT' ? { body: {} } : {});
    expect(answer).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  });
});

describe('tags', () => {
  it('are set, listed and taken away', async () => {
    const tags = own(`/rooms/${room}/tags`);
    await expect(alice.call('GET', tags)).resolves.toEqual({ tags: {} });
    await alice.call('PUT', `${tags}/m.favourite`, { order: 0.25 });
    await alice.call('PUT', `${tags}/u.work`, {});
    await alice.call('DELETE', `${tags}/u.work`);
    await expect(alice.call('GET', tags)).resolves.toEqual({ tags: { 'm.favourite': { order: 0.25 } } });
  });
});

describe('push rules', () => {
  it.each(['/pushrules/', '/pushrules', '/pushrules/global/'])('are told by %s', async (path) => {
    const body = await alice.call('GET', path);
    expect(JSON.stringify(body)).toContain('.m.rule.master');
  });

  it('are told one by one', async () => {
    const rule = await alice.call('GET', '/pushrules/global/override/.m.rule.is_user_mention');
    expect(rule).toMatchObject({ default: true, conditions: [{ value: alice.userId }] });
    for (const path of ['/override/none', '/constructor/x']) {
      const answer = await alice.request('GET', `${base}/pushrules/global${path}`);
      expect(answer).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
    }
  });
});

describe('pushers', () => {
  const pusher = {
    pushkey: 'key',
    app_id: 'app',
    kind: 'http',
    app_display_name: 'App',
    device_display_name: 'phone',
    lang: 'en',
    data: { url: 'https://push.example/_matrix/push/v1/notify' },
  };

  it('are set, listed and deleted', async () => {
    await alice.call('POST', '/pushers/set', pusher);
    await expect(alice.call('GET', '/pushers')).resolves.toEqual({ pushers: [pusher] });
    await alice.call('POST', '/pushers/set', { ...pusher, kind: null });
    await expect(alice.call('GET', '/pushers')).resolves.toEqual({ pushers: [] });
  });

  it.each([
    [{ lang: undefined }, 'M_MISSING_PARAM'],
    [{ data: {} }, 'M_MISSING_PARAM'],
    [{ data: { url: 'http://push.example/_matrix/push/v1/notify' } }, 'M_INVALID_PARAM'],
    [{ pushkey: 'x'.repeat(513) }, 'M_BAD_JSON'],
  ])('are refused with %j', async (change, errcode) => {
    const answer = await alice.request('POST', `${base}/pushers/set`, { body: { ...pusher, ...change } });
    expect(answer).toMatchObject({ status: 400, body: { errcode } });
  });
});
