import { startWorld, type TestClient, type World } from '@seneschal/testing';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const password = 'the password';
const base = '/_matrix/client/v3';

async function login(localpart: string, deviceId: string): Promise<string> {
  const body = { type: 'm.login.password', user: localpart, password, device_id: deviceId };
  return String((await world.request('POST', `${base}/login`, { body })).body['access_token']);
}

async function withDevices(localpart: string): Promise<{ user: TestClient; tokens: string[] }> {
  const user = await world.register(localpart, { password, deviceId: 'A' });
  return { user, tokens: [await login(localpart, 'B'), await login(localpart, 'C')] };
}

const isLoggedIn = async (token: string): Promise<boolean> =>
  (await world.request('GET', `${base}/account/whoami`, { token })).status === 200;
const proofOf = (user: string, session?: unknown) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user },
  password,
  ...(session === undefined ? {} : { session }),
});

describe('devices', () => {
  it('are listed, told and named', async () => {
    const { user } = await withDevices('alice');
    const { devices } = (await user.call('GET', '/devices')) as { devices: { device_id: string }[] };
    expect(devices.map((one) => one.device_id).sort()).toEqual(['A', 'B', 'C']);
    await user.call('PUT', '/devices/B', { display_name: 'tablet' });
    await expect(user.call('GET', '/devices/B')).resolves.toMatchObject({ display_name: 'tablet' });
  });

  it.each([
    ['GET', '/devices/X', undefined],
    ['PUT', '/devices/X', { display_name: 'x' }],
    ['PUT', '/devices/X', {}],
  ])('that are not there: %s %s', async (method, path, body) => {
    const user = await world.register(
      `none${method.toLowerCase()}${body === undefined ? '' : Object.keys(body).length}`,
    );
    await expect(
      user.request(method, `${base}${path}`, body === undefined ? {} : { body }),
    ).resolves.toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
  });

  it('are deleted after the password was given', async () => {
    const { user, tokens } = await withDevices('bob');
    const path = `${base}/devices/B`;
    const asked = await user.request('DELETE', path);
    expect(asked).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.password'] }] } });
    const session = asked.body['session'];
    const wrong = { ...proofOf('bob', session), password: 'wrong' };
    await expect(user.request('DELETE', path, { body: { auth: wrong } })).resolves.toMatchObject({
      status: 401,
      body: { errcode: 'M_FORBIDDEN', flows: [{ stages: ['m.login.password'] }] },
    });
    const right = { auth: proofOf('bob', session) };
    await expect(user.request('DELETE', path, { body: right })).resolves.toMatchObject({ status: 200 });
    await expect(Promise.all(tokens.map(isLoggedIn))).resolves.toEqual([false, true]);
  });

  it('are deleted by the list, and the proof is good for that list alone', async () => {
    const { user, tokens } = await withDevices('carol');
    const path = `${base}/delete_devices`;
    const asked = await user.request('POST', path, { body: { devices: ['B'] } });
    const auth = proofOf('carol', asked.body['session']);
    const more = await user.request('POST', path, { body: { devices: ['B', 'C'], auth } });
    expect(more).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    const same = await user.request('POST', path, { body: { devices: ['B'], auth } });
    expect(same.status).toBe(200);
    await expect(Promise.all(tokens.map(isLoggedIn))).resolves.toEqual([false, true]);
  });

  it('are not deleted with the password of another', async () => {
    const { user } = await withDevices('dave');
    await world.register('eve', { password });
    const body = { devices: ['B'], auth: proofOf('eve') };
    await expect(user.request('POST', `${base}/delete_devices`, { body })).resolves.toMatchObject({
      status: 401,
      body: { errcode: 'M_FORBIDDEN' },
    });
  });
});

describe('POST /account/password', () => {
  const path = `${base}/account/password`;

  it.each([
    ['ends the other sessions', undefined, [false, false]],
    ['keeps them when asked to', false, [true, true]],
  ])('changes the password and %s', async (name, logoutDevices, expected) => {
    const localpart = `p${name.length}`;
    const { user, tokens } = await withDevices(localpart);
    const body = {
      new_password: 'another password',
      logout_devices: logoutDevices,
      auth: proofOf(localpart),
    };
    await expect(user.request('POST', path, { body })).resolves.toMatchObject({ status: 200 });
    await expect(Promise.all([user.token, ...tokens].map(isLoggedIn))).resolves.toEqual([true, ...expected]);
    await expect(login(localpart, 'D')).resolves.toBe('undefined');
  });

  it.each([
    ['', 'M_MISSING_PARAM'],
    ['1234567', 'M_WEAK_PASSWORD'],
    ['x'.repeat(513), 'M_BAD_JSON'],
    ['1234567\0', 'M_BAD_JSON'],
    [undefined, 'M_MISSING_PARAM'],
  ])('refuses %j', async (new_password, errcode) => {
    const user = await world.register(`weak${errcode.toLowerCase()}${String(new_password).length}`);
    await expect(user.request('POST', path, { body: { new_password } })).resolves.toMatchObject({
      status: 400,
      body: { errcode },
    });
  });
});

describe('POST /account/deactivate', () => {
  it('E7: ends all sessions and refuses every login from then on', async () => {
    const { user, tokens } = await withDevices('grace');
    const path = `${base}/account/deactivate`;
    expect((await user.request('POST', path)).status).toBe(401);
    await expect(user.request('POST', path, { body: { auth: proofOf('grace') } })).resolves.toMatchObject({
      status: 200,
      body: { id_server_unbind_result: 'success' },
    });
    await expect(Promise.all([user.token, ...tokens].map(isLoggedIn))).resolves.toEqual([
      false,
      false,
      false,
    ]);
    await expect(login('grace', 'D')).resolves.toBe('undefined');
  });
});
