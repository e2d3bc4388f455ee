import { rowsOf, startWorld, type World } from '@seneschal/testing';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const path = '/_matrix/client/v3/login';
const wrong = { errcode: 'M_FORBIDDEN', error: 'The username or password is incorrect.' };
const login = (body: object | string) => world.request('POST', path, { body });
const by = (user: string, password: string) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user },
  password,
});

describe('GET /login', () => {
  it.each(['v3', 'r0'])('tells the flows under %s', async (version) => {
    const answer = await world.request('GET', `/_matrix/client/${version}/login`);
    expect(answer.body).toEqual({
      flows: [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }],
    });
  });
});

describe('POST /login', () => {
  it('takes a localpart, a user ID and the deprecated user', async () => {
    const { userId } = await world.register('alice', { password: 'the password' });
    for (const body of [
      by('alice', 'the password'),
      by(userId, 'the password'),
      { type: 'm.login.password', user: 'alice', password: 'the password' },
    ]) {
      const { status, body: session } = await login(body);
      expect(status).toBe(200);
      expect(session).toMatchObject({ user_id: userId, home_server: world.serverName });
      const token = String(session['access_token']);
      const whoami = await world.request('GET', '/_matrix/client/v3/account/whoami', { token });
      expect(whoami.body).toEqual({ user_id: userId, device_id: session['device_id'], is_guest: false });
    }
  });

  it('answers the same to a wrong password, an unknown user and a foreign one', async () => {
    await world.register('bob', { password: 'the password' });
    await world.register('nopassword');
    for (const user of ['bob', 'nobody', '@bob:other.example', 'Bob', '@', 'nopassword']) {
      await expect(login(by(user, 'wrong password'))).resolves.toMatchObject({ status: 403, body: wrong });
    }
  });

  it('gives a device that exists a new token, and keeps its name', async () => {
    const first = await world.register('carol', { password: 'the password', deviceId: 'PHONE' });
    await first.call('PUT', '/devices/PHONE', { display_name: 'phone' });
    const again = { ...by('carol', 'the password'), device_id: 'PHONE', initial_device_display_name: 'x' };
    const { body } = await login(again);
    await expect(first.request('GET', path.replace('login', 'devices'))).resolves.toMatchObject({
      status: 401,
      body: { errcode: 'M_UNKNOWN_TOKEN' },
    });
    const devices = await world.request('GET', '/_matrix/client/v3/devices', {
      token: String(body['access_token']),
    });
    expect(devices.body).toMatchObject({ devices: [{ device_id: 'PHONE', display_name: 'phone' }] });
  });

  it('remembers where a session came from', async () => {
    await world.register('dave', { password: 'the password' });
    const { body } = await login({ ...by('dave', 'the password'), device_id: 'D' });
    const token = String(body['access_token']);
    const device = await world.request('GET', '/_matrix/client/v3/devices/D', { token });
    expect(device.body).toMatchObject({ device_id: 'D', last_seen_ip: '127.0.0.1' });
  });

  it.each([
    ['no JSON', '{', 400, 'M_NOT_JSON'],
    ['a list', '[]', 400, 'M_BAD_JSON'],
    ['no type', {}, 400, 'M_MISSING_PARAM'],
    ['another type', { type: 'm.login.sso', token: 'x' }, 400, 'M_UNKNOWN'],
    ['no user', { type: 'm.login.password', password: 'x' }, 400, 'M_MISSING_PARAM'],
    ['no password', { type: 'm.login.password', user: 'x' }, 400, 'M_MISSING_PARAM'],
    ['a password that is a number', { ...by('x', 'x'), password: 1 }, 400, 'M_BAD_JSON'],
    ['a NUL in the user', by('x\0', 'x'), 400, 'M_BAD_JSON'],
    ['a NUL in the password', by('x', 'x\0'), 403, 'M_FORBIDDEN'],
    ['an empty device', { ...by('x', 'x'), device_id: '' }, 400, 'M_BAD_JSON'],
    [
      'a telephone',
      { type: 'm.login.password', identifier: { type: 'm.id.phone' }, password: 'x' },
      400,
      'M_UNKNOWN',
    ],
  ])('refuses %s', async (_, body, status, errcode) => {
    await expect(login(body)).resolves.toMatchObject({ status, body: { errcode } });
  });

  it('keeps no token as it is', async () => {
    const { token } = await world.register('erin');
    const rows = await rowsOf<{ token_hash: string }>(world.sql, 'SELECT token_hash FROM userapi_devices');
    expect(rows.map((row) => row.token_hash)).not.toContain(token);
  });
});

describe('POST /logout', () => {
  it('ends this session, and /logout/all every one', async () => {
    const first = await world.register('frank', { password: 'the password', deviceId: 'A' });
    const sessions = await Promise.all(
      ['B', 'C'].map((device_id) => login({ ...by('frank', 'the password'), device_id })),
    );
    const [b = '', c = ''] = sessions.map(({ body }) => String(body['access_token']));
    const whoami = (token: string) => world.request('GET', '/_matrix/client/v3/account/whoami', { token });
    await first.call('POST', '/logout');
    expect((await whoami(first.token)).status).toBe(401);
    expect((await whoami(b)).status).toBe(200);
    await world.request('POST', '/_matrix/client/r0/logout/all', { token: b, body: {} });
    expect((await whoami(b)).status).toBe(401);
    expect((await whoami(c)).status).toBe(401);
  });
});
