import { startWorld, type World } from '@seneschal/testing';

let world: World;
beforeAll(async () => {
  world = await startWorld({ settings: { SENESCHAL_REGISTRATION_ENABLED: 'on' } });
});
afterAll(() => world.stop());

const path = '/_matrix/client/v3/register';
const auth = { type: 'm.login.dummy' };
const register = (body: object | string, query: Record<string, string> = {}) =>
  world.request('POST', path, { body, query });

describe('POST /register', () => {
  it('asks for the dummy stage, then makes the account and its session', async () => {
    const wanted = { username: 'alice', password: 'the password', initial_device_display_name: 'phone' };
    const asked = await register(wanted);
    expect(asked).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.dummy'] }] } });
    expect(asked.body).not.toHaveProperty('errcode');
    const session = asked.body['session'];
    const made = await register({ ...wanted, auth: { ...auth, session } });
    expect(made).toMatchObject({ status: 200, body: { user_id: `@alice:${world.serverName}` } });
    const token = String(made.body['access_token']);
    const devices = await world.request('GET', '/_matrix/client/v3/devices', { token });
    expect(devices.body).toMatchObject({
      devices: [{ device_id: made.body['device_id'], display_name: 'phone' }],
    });
  });

  it('makes up a name, and no session when asked not to', async () => {
    const { body } = await register({ password: 'the password', inhibit_login: true, auth });
    expect(body['user_id']).toMatch(/^@[0-9a-f]{16}:/);
    expect(body).not.toHaveProperty('access_token');
  });

  it('gives a name once, however many ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => register({ username: 'race', password: 'the password', auth })),
    );
    expect(answers.filter((one) => one.status === 200)).toHaveLength(1);
    const others = answers.filter((one) => one.status !== 200).map((one) => one.body['errcode']);
    expect(new Set(others)).toEqual(new Set(['M_USER_IN_USE']));
  });

  it('takes a session for the name that it was begun for, and once', async () => {
    const begun = await register({ username: 'bob', password: 'the password' });
    const proof = { ...auth, session: begun.body['session'] };
    const other = await register({ username: 'eve', password: 'the password', auth: proof });
    expect(other).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    const again = { password: 'the password', auth: proof };
    expect((await register({ ...again, username: 'bob' })).status).toBe(200);
    const unknown = await register({ ...again, username: 'bob2' });
    expect(unknown).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.dummy'] }] } });
  });

  it.each([
    ['a capital', { username: 'Alice', password: 'the password', auth }, 'M_INVALID_USERNAME'],
    ['a NUL', { username: 'a\0', password: 'the password', auth }, 'M_INVALID_USERNAME'],
    ['an underscore in front', { username: '_a', password: 'the password', auth }, 'M_INVALID_USERNAME'],
    ['a short password', { username: 'carol', password: '1234567', auth }, 'M_WEAK_PASSWORD'],
    ['a long password', { username: 'carol', password: 'x'.repeat(513), auth }, 'M_BAD_JSON'],
    ['no password', { username: 'carol', auth }, 'M_MISSING_PARAM'],
    ['no JSON', '{', 'M_NOT_JSON'],
  ])('refuses %s', async (_, body, errcode) => {
    await expect(register(body)).resolves.toMatchObject({ status: 400, body: { errcode } });
  });

  it('takes a password of 512 bytes, and logs in with it', async () => {
    const password = 'x'.repeat(512);
    await register({ username: 'long', password, auth });
    const login = { type: 'm.login.password', user: 'long' };
    const right = await world.request('POST', '/_matrix/client/v3/login', { body: { ...login, password } });
    expect(right.status).toBe(200);
    const short = { ...login, password: 'x'.repeat(72) };
    const wrong = await world.request('POST', '/_matrix/client/v3/login', { body: short });
    expect(wrong.status).toBe(403);
  });

  it('has no guests', async () => {
    await expect(register({}, { kind: 'guest' })).resolves.toMatchObject({
      status: 403,
      body: { errcode: 'M_GUEST_ACCESS_FORBIDDEN' },
    });
    await expect(register({}, { kind: 'x' })).resolves.toMatchObject({ status: 400 });
  });
});

describe('GET /register/available', () => {
  const available = (username: string) => world.request('GET', `${path}/available`, { query: { username } });

  it('tells whether a name is free', async () => {
    await world.register('taken');
    await expect(available('free')).resolves.toMatchObject({ status: 200, body: { available: true } });
    await expect(available('taken')).resolves.toMatchObject({ body: { errcode: 'M_USER_IN_USE' } });
    await expect(available('Not')).resolves.toMatchObject({ body: { errcode: 'M_INVALID_USERNAME' } });
  });
});

describe('closed registration', () => {
  it('is refused, as it is by default', async () => {
    const closed = await startWorld();
    try {
      const body = { username: 'alice', password: 'the password', auth };
      await expect(closed.request('POST', path, { body })).resolves.toMatchObject({
        status: 403,
        body: { errcode: 'M_FORBIDDEN' },
      });
    } finally {
      await closed.stop();
    }
  });
});
