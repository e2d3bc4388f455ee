import { signJson } from '@seneschal/matrix';
import {
  crossSigningKey,
  deviceKeysOf,
  startWorld,
  type TestClient,
  type TestKey,
  type World,
} from '@seneschal/testing';

import { sync } from './syncing.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const path = '/_matrix/client/v3/keys/device_signing/upload';
const password = 'correct horse';

interface Identity {
  client: TestClient;
  device: TestKey;
  master: TestKey;
  selfSigning: TestKey;
  userSigning: TestKey;
}

function keysFor(userId: string) {
  const master = crossSigningKey(userId, 'master');
  return {
    master,
    selfSigning: crossSigningKey(userId, 'self_signing', master),
    userSigning: crossSigningKey(userId, 'user_signing', master),
  };
}

function bodyOf({ master, selfSigning, userSigning }: ReturnType<typeof keysFor>) {
  return { master_key: master.json, self_signing_key: selfSigning.json, user_signing_key: userSigning.json };
}

/** A user with one device and cross-signing keys. */
async function identity(localpart: string): Promise<Identity> {
  const client = await world.register(localpart, { deviceId: 'D', password });
  const device = deviceKeysOf(client.userId, 'D');
  await client.call('POST', '/keys/upload', { device_keys: device.json });
  const keys = keysFor(client.userId);
  await client.call('POST', '/keys/device_signing/upload', bodyOf(keys));
  return { client, device, ...keys };
}

const proof = (user: string) => ({
  auth: { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password },
});
const query = (asker: TestClient, userId: string) =>
  asker.call('POST', '/keys/query', { device_keys: { [userId]: [] } }) as Promise<
    Record<string, Record<string, object>>
  >;
const signed = (key: TestKey, by: Identity, signer: TestKey): object =>
  signJson(key.json, by.client.userId, signer.signingKey);
const publicKeyOf = (key: TestKey): string => key.signingKey.publicKey;

async function sameRoom(one: TestClient, other: TestClient): Promise<void> {
  const encryption = { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
  await other.join(await one.createRoom({ preset: 'public_chat', initial_state: [encryption] }));
}

describe('cross-signing keys', () => {
  it('are set at once the first time, and told to others but for the user-signing key', async () => {
    const alice = await identity('alice');
    const bob = await world.register('bob');
    const own = await query(alice.client, alice.client.userId);
    expect(own['user_signing_keys']).toEqual({ [alice.client.userId]: alice.userSigning.json });
    const theirs = await query(bob, alice.client.userId);
    expect(theirs).toMatchObject({
      master_keys: { [alice.client.userId]: alice.master.json },
      self_signing_keys: { [alice.client.userId]: alice.selfSigning.json },
      user_signing_keys: {},
    });
  });

  it('are replaced by who proves to be the user, and the old ones take their signatures along', async () => {
    const carol = await identity('carol');
    const { client, device, selfSigning } = carol;
    const deviceSigned = { [client.userId]: { D: signed(device, carol, selfSigning) } };
    await client.call('POST', '/keys/signatures/upload', deviceSigned);
    await expect(client.request('POST', path, { body: bodyOf(carol) })).resolves.toMatchObject({
      status: 200,
    });
    const next = keysFor(client.userId);
    const refused = await client.request('POST', path, { body: bodyOf(next) });
    expect(refused).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.password'] }] } });
    expect((await query(client, client.userId))['master_keys']).toEqual({
      [client.userId]: carol.master.json,
    });
    const { next_batch: since } = await sync(client);
    const done = await client.request('POST', path, { body: { ...bodyOf(next), ...proof('carol') } });
    expect(done.status).toBe(200);
    const told = await query(client, client.userId);
    expect(told['master_keys']).toEqual({ [client.userId]: next.master.json });
    expect(told['device_keys']).toEqual({ [client.userId]: { D: device.json } });
    expect((await sync(client, { since })).device_lists.changed).toEqual([client.userId]);
  });

  it('stay one set when two are uploaded at once', async () => {
    const client = await world.register('erin', { password });
    const sets = [keysFor(client.userId), keysFor(client.userId)];
    const answers = await Promise.all(sets.map((one) => client.request('POST', path, { body: bodyOf(one) })));
    const winner = sets[answers.findIndex(({ status }) => status === 200)];
    expect(answers.map(({ status }) => status).sort()).not.toEqual([200, 200]);
    expect((await query(client, client.userId))['master_keys']).toEqual({
      [client.userId]: winner?.master.json,
    });
  });

  it('are refused when they are not what they have to be', async () => {
    const client = await world.register('frank');
    const { userId } = client;
    const { master, selfSigning, userSigning } = keysFor(userId);
    const foreign = keysFor('@other:test.example');
    const errors = [
      [{ self_signing_key: selfSigning.json }, 'M_MISSING_PARAM'],
      [{ master_key: foreign.master.json }, 'M_INVALID_PARAM'],
      [{ master_key: selfSigning.json }, 'M_INVALID_PARAM'],
      [{ master_key: { ...master.json, keys: {} } }, 'M_INVALID_PARAM'],
      [{ master_key: { ...master.json, signatures: { x: 'y' } } }, 'M_INVALID_PARAM'],
      [
        { master_key: master.json, self_signing_key: crossSigningKey(userId, 'self_signing').json },
        'M_INVALID_SIGNATURE',
      ],
      [{ master_key: 'x', user_signing_key: userSigning.json }, 'M_BAD_JSON'],
    ] as const;
    for (const [body, errcode] of errors) {
      expect(await client.request('POST', path, { body })).toMatchObject({ status: 400, body: { errcode } });
    }
    expect((await query(client, userId))['master_keys']).toEqual({});
    expect((await world.request('POST', path, { body: {} })).status).toBe(401);
  });
});

describe('signatures', () => {
  it('of the own device and master key are seen by everybody, who hear of them', async () => {
    const grace = await identity('grace');
    const heidi = await world.register('heidi');
    await sameRoom(grace.client, heidi);
    const { next_batch: since } = await sync(heidi);
    const { userId } = grace.client;
    const device = signed(grace.device, grace, grace.selfSigning);
    const master = signed(grace.master, grace, grace.device);
    const body = { [userId]: { D: device, [publicKeyOf(grace.master)]: master } };
    const upload = () => grace.client.call('POST', '/keys/signatures/upload', body);
    expect(await Promise.all([upload(), upload()])).toEqual([{ failures: {} }, { failures: {} }]);
    expect(await query(heidi, userId)).toMatchObject({
      device_keys: { [userId]: { D: device } },
      master_keys: { [userId]: master },
    });
    expect((await sync(heidi, { since })).device_lists.changed).toEqual([userId]);
  });

  it('of another user are seen by the signer alone, who hears of them', async () => {
    const ivan = await identity('ivan');
    const judy = await identity('judy');
    await sameRoom(ivan.client, judy.client);
    const since = (await sync(ivan.client)).next_batch;
    const sinceJudy = (await sync(judy.client)).next_batch;
    const target = judy.client.userId;
    const master = signed(judy.master, ivan, ivan.userSigning);
    const body = { [target]: { [publicKeyOf(judy.master)]: master } };
    expect(await ivan.client.call('POST', '/keys/signatures/upload', body)).toEqual({ failures: {} });
    expect((await query(ivan.client, target))['master_keys']).toEqual({ [target]: master });
    expect((await query(judy.client, target))['master_keys']).toEqual({ [target]: judy.master.json });
    expect((await sync(ivan.client, { since })).device_lists.changed).toEqual([target]);
    expect((await sync(judy.client, { since: sinceJudy })).device_lists.changed).toEqual([]);
  });

  it('that are wrong are named one by one, and stop no other', async () => {
    const kim = await identity('kim');
    const leo = await identity('leo');
    const [userId, other] = [kim.client.userId, leo.client.userId];
    const good = signed(kim.device, kim, kim.selfSigning);
    const body = {
      [userId]: {
        D: good,
        nowhere: good,
        [publicKeyOf(kim.master)]: signed(kim.master, kim, kim.userSigning),
      },
      [other]: {
        [publicKeyOf(leo.master)]: signed(leo.master, kim, kim.selfSigning),
        D: signed(leo.device, kim, kim.userSigning),
      },
    };
    const { failures } = await kim.client.call('POST', '/keys/signatures/upload', body);
    expect(failures).toMatchObject({
      [userId]: {
        nowhere: { errcode: 'M_NOT_FOUND' },
        [publicKeyOf(kim.master)]: { errcode: 'M_INVALID_SIGNATURE' },
      },
      [other]: {
        [publicKeyOf(leo.master)]: { errcode: 'M_INVALID_SIGNATURE' },
        D: { errcode: 'M_NOT_FOUND' },
      },
    });
    expect((await query(leo.client, userId))['device_keys']).toEqual({ [userId]: { D: good } });
    const changed = { [userId]: { D: { ...good, algorithms: ['other'] } } };
    expect(await kim.client.call('POST', '/keys/signatures/upload', changed)).toMatchObject({
      failures: { [userId]: { D: { errcode: 'M_INVALID_SIGNATURE' } } },
    });
  });
});
