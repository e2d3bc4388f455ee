import {
  crossSigningKey,
  deviceKeysOf,
  type Peer,
  peerSettings,
  startPeer,
  startWorld,
  type TestClient,
  type World,
} from '@seneschal/testing';

import { ask, authorizationOf, type SignedAsk } from './asking.ts';

let world: World, peer: Peer, alice: TestClient;
beforeAll(async () => {
  [world, peer] = await Promise.all([startWorld({ settings: peerSettings }), startPeer()]);
  alice = await world.register('alice', { deviceId: 'A', displayname: 'Alice' });
  await alice.call('POST', '/keys/upload', {
    device_keys: deviceKeysOf(alice.userId, 'A').json,
    one_time_keys: { 'signed_curve25519:K': { key: 'k' } },
  });
});
afterAll(() => Promise.all([world.stop(), peer.stop()]));

const devices = (): string => `/_matrix/federation/v1/user/devices/${encodeURIComponent(alice.userId)}`;
const keys = '/_matrix/federation/v1/user/keys';

describe('request authentication', () => {
  const errorOf = async (headers: Record<string, string>, uri = devices()): Promise<unknown[]> => {
    const { status, body } = await world.request('GET', uri, { headers });
    return [status, body['errcode']];
  };

  it('refuses requests without a signature, and with a token in place of one', async () => {
    expect(await errorOf({})).toEqual([401, 'M_UNAUTHORIZED']);
    expect(await errorOf({ authorization: `Bearer ${alice.token}` })).toEqual([401, 'M_UNAUTHORIZED']);
  });

  it('refuses a signature of another request, for another server, or of another server', async () => {
    const other: SignedAsk[] = [{ uri: '/elsewhere' }, { uri: devices(), destination: 'other.example' }];
    for (const signed of other) {
      expect(await errorOf({ authorization: authorizationOf(peer, world, signed) })).toEqual([
        401,
        'M_UNAUTHORIZED',
      ]);
    }
    const header = authorizationOf(peer, world, { uri: devices() });
    const forged = header.replace(`origin="${peer.serverName}"`, 'origin="10.0.0.1"');
    expect(await errorOf({ authorization: forged })).toEqual([401, 'M_UNAUTHORIZED']);
  });

  it('asks for the keys of a server once, however many requests come', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(peer, world, { uri: devices() })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
  });
});

describe('devices and keys for other servers', () => {
  it('tells all devices of a user, with a position that grows with every change', async () => {
    const { body } = await ask(peer, world, { uri: devices() });
    expect(body).toMatchObject({
      user_id: alice.userId,
      devices: [{ device_id: 'A', keys: { user_id: alice.userId, device_id: 'A' } }],
    });
    await alice.request('PUT', '/_matrix/client/v3/devices/A', { body: { display_name: 'phone' } });
    const { body: later } = await ask(peer, world, { uri: devices() });
    expect(later).toMatchObject({ devices: [{ device_display_name: 'phone' }] });
    expect(later['stream_id']).toBeGreaterThan(body['stream_id'] as number);
  });

  it('tells the cross-signing keys that everybody may see', async () => {
    const { userId } = alice;
    const master = crossSigningKey(userId, 'master');
    const [selfSigning, userSigning] = (['self_signing', 'user_signing'] as const).map((usage) =>
      crossSigningKey(userId, usage, master),
    );
    await alice.call('POST', '/keys/device_signing/upload', {
      master_key: master.json,
      self_signing_key: selfSigning!.json,
      user_signing_key: userSigning!.json,
    });
    const { body } = await ask(peer, world, { uri: devices() });
    expect(body).toMatchObject({ master_key: master.json, self_signing_key: selfSigning!.json });
    const content = { device_keys: { [userId]: [] } };
    const found = await ask(peer, world, { method: 'POST', uri: `${keys}/query`, content });
    expect(found.body).toMatchObject({
      master_keys: { [userId]: master.json },
      self_signing_keys: { [userId]: selfSigning!.json },
    });
    expect(JSON.stringify([body, found.body])).not.toContain(userSigning!.signingKey.publicKey);
  });

  it('answers queries, and gives a one-time key out once', async () => {
    const query = { device_keys: { [alice.userId]: [] } };
    const found = await ask(peer, world, { method: 'POST', uri: `${keys}/query`, content: query });
    expect(found.body).toMatchObject({ device_keys: { [alice.userId]: { A: { device_id: 'A' } } } });
    const claim = { one_time_keys: { [alice.userId]: { A: 'signed_curve25519' } } };
    const claimed = await Promise.all(
      [1, 2].map(() => ask(peer, world, { method: 'POST', uri: `${keys}/claim`, content: claim })),
    );
    expect(claimed.map(({ body }) => Object.keys(body['one_time_keys'] as object).length).sort()).toEqual([
      0, 1,
    ]);
  });

  it('tells a profile, or one field of it', async () => {
    const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(alice.userId)}`;
    expect((await ask(peer, world, { uri })).body).toEqual({ displayname: 'Alice' });
    expect((await ask(peer, world, { uri: `${uri}&field=avatar_url` })).body).toEqual({});
    const nobody = '/_matrix/federation/v1/query/profile?user_id=%40nobody%3Atest.example';
    expect((await ask(peer, world, { uri: nobody })).status).toBe(404);
  });

  it('knows only its own users', async () => {
    const content = { device_keys: { '@bob:other.example': [] } };
    const answer = await ask(peer, world, { method: 'POST', uri: `${keys}/query`, content });
    expect([answer.status, answer.body['errcode']]).toEqual([400, 'M_BAD_JSON']);
    const uri = '/_matrix/federation/v1/user/devices/%40bob%3Aother.example';
    expect((await ask(peer, world, { uri })).status).toBe(404);
  });
});
