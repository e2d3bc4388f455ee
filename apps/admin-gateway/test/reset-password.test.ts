import { sql } from 'kysely';

import type { TestClient } from '@seneschal/testing';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = (user: string): string => `/_dendrite/admin/resetPassword/${encodeURIComponent(user)}`;
const updated = [200, { password_updated: true }];

describe('resetPassword', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  let number = 0;
  const someone = (): Promise<TestClient> =>
    stage.world.register(`someone${(number += 1)}`, { password: 'the old password' });

  const login = async (userId: string, password: string): Promise<[number, unknown]> =>
    errorOf(
      await stage.world.request('POST', '/_matrix/client/v3/login', {
        body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password },
      }),
    );
  const whoami = async (client: TestClient): Promise<number> =>
    (await client.request('GET', '/_matrix/client/v3/account/whoami')).status;

  itRefusesOthers(
    () => stage,
    'POST',
    () => [path(stage.user.userId), path('@nobody:test.example'), path('@')],
  );

  it('sets the password of a user ID or a localpart; tokens live on', async () => {
    const user = await someone();
    for (const [name, password] of [
      [user.userId, 'the first new password'],
      [user.userId.slice(1).split(':')[0] ?? '', 'the second new password'],
    ] as const) {
      expect(await stage.ask('POST', path(name), { password })).toEqual(updated);
      expect(await login(user.userId, password)).toEqual([200, undefined]);
    }
    expect(await login(user.userId, 'the old password')).toEqual([403, 'M_FORBIDDEN']);
    expect(await whoami(user)).toBe(200);
  });

  it('P1: with logout_devices all tokens, devices, device keys and pushers go, and peers learn it', async () => {
    const user = await someone();
    const other = await someone();
    await uploadKeys(user);
    await setPusher(user);
    const facts = await deviceListFacts(stage, user.userId);
    const body = { password: 'a new password', logout_devices: true };
    expect(await stage.ask('POST', path(user.userId), body)).toEqual(updated);
    expect(await whoami(user)).toBe(401);
    expect(await whoami(other)).toBe(200);
    const keys = await stage.user.call('POST', '/keys/query', { device_keys: { [user.userId]: [] } });
    expect(JSON.stringify(keys)).not.toContain(user.deviceId);
    expect(await deviceListFacts(stage, user.userId)).toBe(facts + 1);
    for (const table of ['devices', 'pushers', 'device_keys', 'one_time_keys', 'connections']) {
      const rows =
        await sql`SELECT FROM ${sql.id(`userapi_${table}`)} WHERE user_id = ${user.userId}`.execute(
          stage.world.sql,
        );
      expect([table, rows.rows.length]).toEqual([table, 0]);
    }
  });

  it('P1: a peer who waits in a sync is told whose devices are gone', async () => {
    const user = await someone();
    const roomId = await stage.room(stage.user, [user]);
    await stage.user.call('PUT', `/rooms/${encodeURIComponent(roomId)}/state/m.room.encryption/`, {
      algorithm: 'm.megolm.v1.aes-sha2',
    });
    await uploadKeys(user);
    const since = (await stage.user.call('GET', '/sync'))['next_batch'] as string;
    const waiting = stage.user.call('GET', `/sync?since=${since}&timeout=20000`);
    await stage.ask('POST', path(user.userId), { password: 'a new password', logout_devices: true });
    const told = await waiting;
    expect(told['device_lists']).toEqual({ changed: [user.userId], left: [] });
    const keys = await stage.user.call('POST', '/keys/query', { device_keys: { [user.userId]: [] } });
    expect(keys['device_keys']).toEqual({ [user.userId]: {} });
  });

  it('P1: without logout_devices nothing goes', async () => {
    const user = await someone();
    await uploadKeys(user);
    await setPusher(user);
    await stage.ask('POST', path(user.userId), { password: 'a new password', logout_devices: false });
    const pushers = await user.call('GET', '/pushers');
    expect(pushers['pushers']).toHaveLength(1);
    const keys = await user.call('POST', '/keys/query', { device_keys: { [user.userId]: [] } });
    expect(JSON.stringify(keys)).toContain(user.deviceId);
  });

  it('P2: a rehearsal tells what would end and whether the keys are backed up, and changes nothing', async () => {
    const user = await someone();
    await uploadKeys(user);
    await setPusher(user);
    const rehearse = (body: object): Promise<unknown> =>
      stage.ask('POST', `${path(user.userId)}?dry_run=true`, { password: 'a new password', ...body });
    expect(await rehearse({ logout_devices: true })).toEqual([
      200,
      {
        password_updated: false,
        sessions_ended: 1,
        pushers_removed: 1,
        devices_with_keys: 1,
        key_backup_exists: false,
      },
    ]);
    await user.call('POST', '/room_keys/version', {
      algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
      auth_data: { public_key: 'abc' },
    });
    expect(await rehearse({})).toMatchObject([
      200,
      { sessions_ended: 0, pushers_removed: 0, devices_with_keys: 1, key_backup_exists: true },
    ]);
    expect(await whoami(user)).toBe(200);
    expect(await login(user.userId, 'the old password')).toEqual([200, undefined]);
  });

  it.each([
    ['72 bytes', 'x'.repeat(72)],
    ['73 bytes, which bcrypt alone would cut off', 'x'.repeat(73)],
    ['512 characters', 'x'.repeat(512)],
  ])('takes a password of %s', async (_name, password) => {
    const user = await someone();
    expect(await stage.ask('POST', path(user.userId), { password })).toEqual(updated);
    expect(await login(user.userId, password)).toEqual([200, undefined]);
    expect(await login(user.userId, `${password.slice(0, -1)}y`)).toEqual([403, 'M_FORBIDDEN']);
  });

  it.each([
    ['an empty password', { password: '' }, 'M_MISSING_PARAM'],
    ['{}', {}, 'M_MISSING_PARAM'],
    ['null', 'null', 'M_MISSING_PARAM'],
    ['7 characters', { password: '1234567' }, 'M_WEAK_PASSWORD'],
    ['513 characters', { password: 'x'.repeat(513) }, 'M_BAD_JSON'],
    ['broken JSON', '{x', 'M_NOT_JSON'],
    ['an empty body', '', 'M_NOT_JSON'],
    ['a list', '[]', 'M_BAD_JSON'],
    ['a number', { password: 12345678 }, 'M_BAD_JSON'],
    [
      'logout_devices that is no boolean',
      { password: 'a new password', logout_devices: 'yes' },
      'M_BAD_JSON',
    ],
    ['a NUL', { password: 'nul\0password' }, 'M_BAD_JSON'],
  ])('refuses %s', async (_name, body, errcode) => {
    const user = await someone();
    expect(errorOf(await stage.admin.request('POST', path(user.userId), { body }))).toEqual([400, errcode]);
    expect(await login(user.userId, 'the old password')).toEqual([200, undefined]);
  });

  it.each([
    ['unknown keys', '{"password":"a new password","more":1}'],
    ['keys in other case', '{"Password":"a new password","LOGOUT_DEVICES":false}'],
    ['something after the JSON', '{"password":"a new password"} and more'],
  ])('reads a body as Go does: %s', async (_name, body) => {
    const user = await someone();
    expect(await stage.ask('POST', path(user.userId), body)).toEqual(updated);
    expect(await login(user.userId, 'a new password')).toEqual([200, undefined]);
  });

  it.each(['@remote:elsewhere.example', '!r:test.example', '@x', '', 'a b', '@a b:test.example'])(
    'answers 400 M_INVALID_PARAM for the user %j, or 404 where there is no name at all',
    async (user) => {
      const answer = await stage.admin.request('POST', path(user), { body: '{x' });
      expect(errorOf(answer)).toEqual(user === '' ? [404, 'M_UNRECOGNIZED'] : [400, 'M_INVALID_PARAM']);
    },
  );

  it.each(['@nobody:test.example', 'nobody', '@USER:test.example', 'USER'])(
    'answers 404 M_NOT_FOUND for %s, before it looks at the body',
    async (user) => {
      const answer = await stage.admin.request('POST', path(user), { body: '{x' });
      expect(errorOf(answer)).toEqual([404, 'M_NOT_FOUND']);
    },
  );

  it('does not bring a deactivated account back', async () => {
    const user = await someone();
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE user_id = ${user.userId}`.execute(
      stage.world.sql,
    );
    const answer = await stage.admin.request('POST', path(user.userId), {
      body: { password: 'a new password' },
    });
    expect(errorOf(answer)).toEqual([404, 'M_NOT_FOUND']);
    expect(await login(user.userId, 'a new password')).toEqual([403, expect.any(String)]);
  });

  it('twice at once, one of the passwords holds', async () => {
    const user = await someone();
    const passwords = ['the first password', 'the second password'];
    const answers = await Promise.all(
      passwords.map((password) => stage.ask('POST', path(user.userId), { password, logout_devices: true })),
    );
    expect(answers).toEqual([updated, updated]);
    const logins = await Promise.all(passwords.map((password) => login(user.userId, password)));
    expect(logins.map(([status]) => status).sort()).toEqual([200, 403]);
  });

  it('ends the sessions of the administrator too, for the own account', async () => {
    const other = await stage.world.register('other-admin', { admin: true });
    const body = { password: 'a new password', logout_devices: true };
    expect((await other.request('POST', path(other.userId), { body })).status).toBe(200);
    expect(await whoami(other)).toBe(401);
  });
});

describe('resetPassword, in what is kept', () => {
  it('trap 21: the password is in no log, no table and no queue', async () => {
    const stage = await Stage.open({ logLevel: 'trace' });
    const password = 'correct horse battery staple';
    await stage.ask('POST', path(stage.user.userId), { password, logout_devices: true });
    await stage.world.settled();
    expect(stage.world.logs.join('')).not.toContain(password);
    expect(await everythingInRedis(stage)).not.toContain(password);
    const replies = await sql`SELECT reply::text FROM bus_replies`.execute(stage.world.sql);
    expect(JSON.stringify(replies.rows)).not.toContain(password);
    await stage.stop();
  });
});

async function uploadKeys(user: TestClient): Promise<void> {
  await user.call('POST', '/keys/upload', {
    device_keys: {
      user_id: user.userId,
      device_id: user.deviceId,
      algorithms: ['m.olm.v1.curve25519-aes-sha2'],
      keys: { [`ed25519:${user.deviceId}`]: 'abc' },
      signatures: { [user.userId]: { [`ed25519:${user.deviceId}`]: 'abc' } },
    },
    one_time_keys: { 'curve25519:AAAA': 'abc' },
  });
}

async function setPusher(user: TestClient): Promise<void> {
  await user.call('POST', '/pushers/set', {
    app_id: 'app',
    pushkey: `key of ${user.userId}`,
    kind: 'http',
    app_display_name: 'App',
    device_display_name: 'Device',
    lang: 'en',
    data: { url: 'https://push.example/_matrix/push/v1/notify' },
  });
}

async function deviceListFacts(stage: Stage, userId: string): Promise<number> {
  const found = await sql`SELECT FROM userapi_output
    WHERE fact->>'kind' = 'device_list_changed' AND fact->>'userId' = ${userId}`.execute(stage.world.sql);
  return found.rows.length;
}

/** Jobs are hashes, what is told of them goes into streams. */
async function everythingInRedis({ world }: Stage): Promise<string> {
  const { redis, prefix } = world.homeserver.platform.bus;
  const keys = await redis.keys(`${prefix}:*`);
  const values = keys.map(async (key): Promise<unknown> => {
    const type = await redis.type(key);
    if (type === 'hash') return redis.hgetall(key);
    return type === 'stream' ? redis.xrange(key, '-', '+') : undefined;
  });
  const all = JSON.stringify(await Promise.all(values));
  expect(all).toContain('passwordHash');
  return all;
}
