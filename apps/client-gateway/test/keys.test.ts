import { deviceKeysOf, startWorld, type TestClient, type World } from '@seneschal/testing';

let world: World;
let alice: TestClient;
let bob: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice', { deviceId: 'A' });
  bob = await world.register('bob');
});
afterAll(() => world.stop());

/** At an address where no request goes to. */
const remote = '@carol:10.0.0.1';
const noCrossSigning = { master_keys: {}, self_signing_keys: {}, user_signing_keys: {} };

describe('keys', () => {
  it('are uploaded, queried and claimed', async () => {
    const deviceKeys = deviceKeysOf(alice.userId, 'A').json;
    const oneTimeKeys = { 'signed_curve25519:K': { key: 'k' } };
    const uploaded = await alice.call('POST', '/keys/upload', {
      device_keys: deviceKeys,
      one_time_keys: oneTimeKeys,
    });
    expect(uploaded).toEqual({ one_time_key_counts: { signed_curve25519: 1 } });
    const asked = { [alice.userId]: [], [bob.userId]: [], [remote]: [] };
    await expect(bob.call('POST', '/keys/query', { device_keys: asked })).resolves.toEqual({
      device_keys: { [alice.userId]: { A: deviceKeys }, [bob.userId]: {} },
      ...noCrossSigning,
      failures: { '10.0.0.1': { status: 503, message: expect.stringMatching(/private network/) as string } },
    });
    const claim = { one_time_keys: { [alice.userId]: { A: 'signed_curve25519' } } };
    await expect(bob.call('POST', '/keys/claim', claim)).resolves.toEqual({
      one_time_keys: { [alice.userId]: { A: oneTimeKeys } },
      failures: {},
    });
    await expect(bob.call('POST', '/keys/claim', claim)).resolves.toEqual({
      one_time_keys: {},
      failures: {},
    });
  });

  it('P1: are gone for others when the devices are', async () => {
    const user = await world.register('dave', { deviceId: 'D' });
    await user.call('POST', '/keys/upload', { device_keys: deviceKeysOf(user.userId, 'D').json });
    await user.call('POST', '/logout');
    const answer = await bob.call('POST', '/keys/query', { device_keys: { [user.userId]: [] } });
    expect(answer).toEqual({ device_keys: { [user.userId]: {} }, ...noCrossSigning, failures: {} });
  });

  it.each([
    ['/keys/upload', { device_keys: { user_id: '@x:y', device_id: 'A' } }, 'M_INVALID_PARAM'],
    ['/keys/upload', { one_time_keys: { 'a:b': 1 } }, 'M_BAD_JSON'],
    ['/keys/query', {}, 'M_MISSING_PARAM'],
    ['/keys/query', { device_keys: { alice: [] } }, 'M_BAD_JSON'],
    ['/keys/claim', {}, 'M_MISSING_PARAM'],
  ])('%s refuses %j', async (path, body, errcode) => {
    const answer = await alice.request('POST', `/_matrix/client/v3${path}`, { body });
    expect(answer).toMatchObject({ status: 400, body: { errcode } });
  });
});
