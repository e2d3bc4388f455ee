import { startWorld, type TestClient, type World } from '@seneschal/testing';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const base = '/_matrix/client/v3/room_keys';
const backup = { algorithm: 'm.megolm_backup.v1', auth_data: { public_key: 'x' } };
const keysOf = (path: string, version: string): string => `/room_keys/keys${path}?version=${version}`;
const session = (change: object = {}) => ({
  first_message_index: 5,
  forwarded_count: 1,
  is_verified: false,
  session_data: { ciphertext: 'c' },
  ...change,
});
const roomA = '!a:test.example';
const roomB = '!b:test.example';

async function withBackup(localpart: string): Promise<{ client: TestClient; version: string }> {
  const client = await world.register(localpart);
  const { version } = await client.call('POST', '/room_keys/version', backup);
  return { client, version: version as string };
}

describe('versions of a key backup', () => {
  it('are begun, told, changed and deleted', async () => {
    const { client } = await withBackup('alice');
    const shown = { ...backup, version: '1', count: 0, etag: '0' };
    await expect(client.call('GET', '/room_keys/version')).resolves.toEqual(shown);
    await client.call('PUT', '/room_keys/version/1', { ...backup, auth_data: {} });
    await expect(client.call('GET', '/room_keys/version/1')).resolves.toEqual({ ...shown, auth_data: {} });
    await client.call('PUT', keysOf('', '1'), { rooms: { [roomA]: { sessions: { s: session() } } } });
    await client.call('DELETE', '/room_keys/version/1');
    for (const path of ['/version/1', '/version', '/keys?version=1']) {
      const gone = await client.request('GET', `${base}${path}`);
      expect(gone).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
    }
  });
});

describe('keys in a backup', () => {
  it('are stored and told as a whole, by room and one by one', async () => {
    const { client, version } = await withBackup('bob');
    const rooms = {
      [roomA]: { sessions: { s1: session(), s2: session() } },
      [roomB]: { sessions: { s3: session() } },
    };
    const put = () => client.call('PUT', keysOf('', version), { rooms });
    const first = await put();
    expect(first).toMatchObject({ count: 3 });
    expect(await Promise.all([put(), put()])).toEqual([first, first]);
    expect(await client.call('GET', keysOf('', version))).toEqual({ rooms });
    expect(await client.call('GET', keysOf(`/${roomA}`, version))).toEqual(rooms[roomA]);
    expect(await client.call('GET', keysOf(`/${roomB}/s3`, version))).toEqual(session());
    expect(await client.call('GET', keysOf('/!none:x', version))).toEqual({ sessions: {} });
    expect(await client.request('GET', `${base}/keys/${roomB}/none?version=${version}`)).toMatchObject({
      status: 404,
    });
    expect(
      await client.call('PUT', keysOf(`/${roomB}`, version), { sessions: { s4: session() } }),
    ).toMatchObject({
      count: 4,
    });
    const changed = await client.call('GET', '/room_keys/version');
    expect(changed['etag']).not.toBe(first['etag']);
  });

  it.each([
    ['a verified one', { is_verified: true, first_message_index: 9 }, true],
    ['one that begins earlier', { first_message_index: 4, forwarded_count: 9 }, true],
    ['one that was passed on less', { forwarded_count: 0 }, true],
    ['one that is no better', {}, false],
    ['one that begins later', { first_message_index: 6, forwarded_count: 0 }, false],
  ])('give way to %s', async (name, change, isReplaced) => {
    const { client, version } = await withBackup(name.replaceAll(' ', '-'));
    const path = keysOf(`/${roomA}/s`, version);
    await client.call('PUT', path, session());
    const next = session({ ...change, session_data: { ciphertext: 'other' } });
    await client.call('PUT', path, next);
    expect(await client.call('GET', path)).toEqual(isReplaced ? next : session());
  });

  it('are deleted one by one, by room and as a whole', async () => {
    const { client, version } = await withBackup('carol');
    const sessions = { s1: session(), s2: session() };
    await client.call('PUT', keysOf('', version), {
      rooms: { [roomA]: { sessions }, [roomB]: { sessions } },
    });
    const remove = async (path: string) => (await client.call('DELETE', keysOf(path, version)))['count'];
    expect(await remove(`/${roomA}/s1`)).toBe(3);
    expect(await remove(`/${roomA}/s1`)).toBe(3);
    expect(await remove(`/${roomB}`)).toBe(1);
    expect(await remove('')).toBe(0);
  });

  it('go into the newest version alone', async () => {
    const { client, version } = await withBackup('dave');
    await client.call('POST', '/room_keys/version', backup);
    const body = { sessions: { s: session() } };
    const old = await client.request('PUT', `${base}/keys/${roomA}?version=${version}`, { body });
    expect(old).toMatchObject({
      status: 403,
      body: { errcode: 'M_WRONG_ROOM_KEYS_VERSION', current_version: '2' },
    });
    const none = await client.request('PUT', `${base}/keys/${roomA}?version=7`, { body });
    expect(none).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
    expect(await client.call('GET', keysOf('', version))).toEqual({ rooms: {} });
  });

  it('are for their own user alone, and have to be well-formed', async () => {
    const { client, version } = await withBackup('erin');
    const other = await world.register('frank');
    await client.call('PUT', keysOf(`/${roomA}/s`, version), session());
    expect((await other.request('GET', `${base}/keys?version=${version}`)).status).toBe(404);
    expect((await world.request('GET', `${base}/keys?version=${version}`)).status).toBe(401);
    const wrong = [session({ first_message_index: -1 }), session({ session_data: 'x' }), {}];
    for (const body of wrong) {
      const answer = await client.request('PUT', `${base}/keys/${roomA}/t?version=${version}`, { body });
      expect(answer.status).toBe(400);
    }
    const noVersion = await client.request('GET', `${base}/keys`);
    expect(noVersion).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } });
  });
});
