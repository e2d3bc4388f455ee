import { startWorld, type World } from '@seneschal/testing';
import { createClient, InteractiveAuth } from 'matrix-js-sdk';

import { logIn, password, type Person } from './clients.ts';

let world: World, alice: Person;
beforeAll(async () => {
  world = await startWorld({ settings: { SENESCHAL_REGISTRATION_ENABLED: 'true' } });
  await world.register('alice', { password, displayname: 'Alice' });
  alice = await logIn(world, 'alice', { encrypted: true });
});
afterAll(async () => {
  alice.client.stopClient();
  await world.stop();
});

const protocol = '/_matrix/client/v3/thirdparty/protocol/irc';

describe('a client that starts', () => {
  it('asks for nothing that this server does not know', async () => {
    const odd = alice.heard.filter(({ status }) => status >= 400);
    expect(odd).toEqual([
      expect.objectContaining({ path: '/_matrix/client/v3/room_keys/version', errcode: 'M_NOT_FOUND' }),
    ]);
    const asked = new Set(alice.heard.map(({ method, path }) => `${method} ${path}`));
    const user = encodeURIComponent(alice.userId);
    for (const request of [
      'POST /_matrix/client/v3/login',
      'GET /_matrix/client/versions',
      'GET /_matrix/client/v3/pushrules/',
      'GET /_matrix/client/v3/capabilities',
      `POST /_matrix/client/v3/user/${user}/filter`,
      'GET /_matrix/client/v3/sync',
    ]) {
      expect(asked).toContain(request);
    }
  });

  it('is answered what applications ask besides', async () => {
    const { client, userId } = alice;
    expect(await client.turnServer()).toEqual({});
    expect(await client.getThirdpartyProtocols()).toEqual({});
    expect(await client.getThirdpartyUser('irc', {})).toEqual([]);
    expect(await client.getThirdpartyLocation('irc', {})).toEqual([]);
    expect(await world.request('GET', protocol, { token: client.getAccessToken()! })).toMatchObject({
      status: 404,
      body: { errcode: 'M_NOT_FOUND' },
    });
    expect((await world.request('GET', protocol)).status).toBe(401);
    expect(await client.getPushers()).toEqual({ pushers: [] });
    expect(await client.getProfileInfo(userId)).toMatchObject({ displayname: 'Alice' });
    const { devices } = await client.getDevices();
    expect(devices.map(({ device_id: id }) => id)).toContain(client.getDeviceId());
    expect(await client.getThreePids()).toEqual({ threepids: [] });
    expect(await client.whoami()).toMatchObject({ user_id: userId });
    expect(await client.getCapabilities()).toMatchObject({ 'm.room_versions': { default: '12' } });
    expect((await client.loginFlows()).flows).toContainEqual({ type: 'm.login.password' });
    expect(await client.isUsernameAvailable('alice')).toBe(false);
    expect(await client.isUsernameAvailable('somebody')).toBe(true);
  });

  it('goes on without what this server does not have', async () => {
    const { client } = alice;
    for (const ask of [
      () => client.getMediaConfig(),
      () => client.getMediaConfig(true),
      () => client.getAuthMetadata(),
    ]) {
      await expect(ask()).rejects.toMatchObject({ httpStatus: 404, errcode: 'M_UNRECOGNIZED' });
    }
  });

  it('makes an account', async () => {
    const client = createClient({ baseUrl: world.url });
    const auth = new InteractiveAuth({
      matrixClient: client,
      doRequest: (data) => client.registerRequest({ username: 'newcomer', password, auth: data ?? {} }),
      stateUpdated: (stage) => {
        if (stage === 'm.login.dummy') void auth.submitAuthDict({ type: stage });
      },
      requestEmailToken: () => Promise.reject(new Error('There are no addresses here.')),
    });
    expect(await auth.attemptAuth()).toMatchObject({ user_id: `@newcomer:${world.serverName}` });
  });
});
