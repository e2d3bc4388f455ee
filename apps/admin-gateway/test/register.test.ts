import { createHmac } from 'node:crypto';

import { sql } from 'kysely';

import { rowsOf, startWorld, type TestAnswer, type World } from '@seneschal/testing';

import { errorOf } from './stage.ts';

const path = '/_synapse/admin/v1/register';

interface Fields {
  username?: unknown;
  password?: unknown;
  admin?: unknown;
  displayname?: unknown;
  user_type?: unknown;
  mac?: unknown;
  nonce?: unknown;
}

describe('shared-secret registration', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  let number = 0;
  const newName = (): string => `name${(number += 1)}`;

  const nonce = async (): Promise<string> => (await world.request('GET', path)).body['nonce'] as string;

  const macOf = (fields: Fields, secret = world.sharedSecret): string => {
    const { nonce: used, username, password, admin, user_type: userType } = fields;
    const parts = [used, username, password, admin === true ? 'admin' : 'notadmin'];
    if (typeof userType === 'string' && userType !== '') parts.push(userType);
    return createHmac('sha1', secret).update(parts.join('\0')).digest('hex');
  };

  /** Sends a registration with a nonce and a MAC that are right, unless `fields` says otherwise. */
  const register = async (fields: Fields): Promise<TestAnswer> => {
    const body = { username: newName(), password: 'a good password', nonce: await nonce(), ...fields };
    return world.request('POST', path, { body: { mac: macOf(body), ...body } });
  };

  it('is kept in the audit log when it made an account, without its secrets', async () => {
    const fields = { username: 'kept', password: 'a kept password' };
    await register({ ...fields, mac: '00'.repeat(20) });
    await register(fields);
    const rows = await rowsOf<{ entry: string }>(
      world.sql,
      "SELECT entry FROM audit_log WHERE 'kept' = ANY (targets)",
    );
    expect(rows.map(({ entry }) => JSON.parse(entry) as unknown)).toEqual([
      expect.objectContaining({
        actor: 'shared secret',
        action: `POST ${path}`,
        status: 200,
        arguments: expect.objectContaining({
          username: 'kept',
          password: '[secret]',
          mac: '[secret]',
        }) as object,
      }),
    ]);
    expect(rows[0]?.entry).not.toContain('a kept password');
    expect(await rowsOf(world.sql, 'SELECT id FROM audit_pending')).toEqual([]);
  });

  it('gives a nonce that cannot be guessed', async () => {
    const nonces = await Promise.all(Array.from({ length: 20 }, nonce));
    expect(new Set(nonces).size).toBe(20);
    for (const one of nonces) expect(one).toMatch(/^[A-Za-z0-9_-]{16,}$/);
  });

  it('makes an account with a session and a password', async () => {
    const username = newName();
    const { status, body } = await register({ username, displayname: 'Name Surname' });
    const userId = `@${username}:test.example`;
    expect([status, body]).toEqual([
      200,
      {
        user_id: userId,
        access_token: expect.any(String) as string,
        device_id: 'shared_secret_registration',
        home_server: 'test.example',
      },
    ]);
    const token = body['access_token'] as string;
    const who = await world.request('GET', '/_matrix/client/v3/account/whoami', { token });
    expect(who.body).toMatchObject({ user_id: userId, device_id: 'shared_secret_registration' });
    const profile = await world.request('GET', `/_matrix/client/v3/profile/${userId}`);
    expect(profile.body).toMatchObject({ displayname: 'Name Surname' });
    expect(await login(world, username, 'a good password')).toBe(200);
  });

  it('makes an administrator only when asked', async () => {
    for (const [admin, wanted] of [
      [true, 404],
      [false, 403],
      [undefined, 403],
    ] as const) {
      const { body } = await register(admin === undefined ? {} : { admin });
      const token = body['access_token'] as string;
      const answer = await world.request('POST', '/_dendrite/admin/evacuateRoom/!none:test.example', {
        token,
      });
      expect(answer.status).toBe(wanted);
    }
  });

  it('takes a user type, which the MAC covers', async () => {
    expect((await register({ user_type: 'bot' })).status).toBe(200);
    const body = { nonce: await nonce(), username: newName(), password: 'a good password' };
    const answer = await world.request('POST', path, {
      body: { ...body, user_type: 'bot', mac: macOf(body) },
    });
    expect(errorOf(answer)).toEqual([403, 'M_FORBIDDEN']);
  });

  it('P5: a nonce is good once', async () => {
    const used = await nonce();
    expect((await register({ nonce: used })).status).toBe(200);
    expect(errorOf(await register({ nonce: used }))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it.each<[string, Fields]>([
    ['a wrong MAC', { mac: '00'.repeat(20) }],
    ['a MAC that is no hexadecimal', { mac: 'zz' }],
    ['a wrong type', { username: 1 }],
    ['a weak password', { password: 'weak' }],
  ])('P5: a nonce is used up by %s', async (_name, fields) => {
    const used = await nonce();
    expect((await register({ ...fields, nonce: used })).status).not.toBe(200);
    expect(errorOf(await register({ nonce: used }))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('P5: of two at once with one nonce, one gets through', async () => {
    const used = await nonce();
    const answers = await Promise.all([register({ nonce: used }), register({ nonce: used })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
  });

  it.each(['neverissued', '', 'nul\0nonce'])('P5: refuses the nonce %j', async (unknown) => {
    expect(errorOf(await register({ nonce: unknown }))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('P5: refuses a nonce after a minute', async () => {
    const used = await nonce();
    const { redis, prefix } = world.homeserver.platform.bus;
    const score = Number(await redis.zscore(`${prefix}:register-nonces`, used));
    expect(score - Date.now()).toBeGreaterThan(50_000);
    expect(score - Date.now()).toBeLessThanOrEqual(60_500);
    await redis.zincrby(`${prefix}:register-nonces`, -60_000, used);
    expect(errorOf(await register({ nonce: used }))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it.each<[string, Fields, number, string]>([
    ['a wrong MAC', { mac: '00'.repeat(20) }, 403, 'M_FORBIDDEN'],
    ['no MAC', { mac: undefined }, 403, 'M_FORBIDDEN'],
    ['an empty MAC', { mac: '' }, 403, 'M_FORBIDDEN'],
    ['a MAC that is too long', { mac: '00'.repeat(21) }, 403, 'M_FORBIDDEN'],
    ['a MAC that is no hexadecimal', { mac: 'zz'.repeat(20) }, 400, 'M_BAD_JSON'],
    ['a MAC of odd length', { mac: '0'.repeat(39) }, 400, 'M_BAD_JSON'],
    ['a name with a space', { username: 'na me' }, 400, 'M_INVALID_USERNAME'],
    ['a name with a capital', { username: 'Name' }, 400, 'M_INVALID_USERNAME'],
    ['a name with a leading _', { username: '_name' }, 400, 'M_INVALID_USERNAME'],
    ['an empty name', { username: '' }, 400, 'M_INVALID_USERNAME'],
    ['a name of 250', { username: 'x'.repeat(250) }, 400, 'M_BAD_JSON'],
    ['a NUL in the name', { username: 'na\0me' }, 400, 'M_INVALID_USERNAME'],
    ['a NUL in the password', { password: 'nul\0password' }, 400, 'M_INVALID_PARAM'],
    ['a NUL in the display name', { displayname: 'na\0me' }, 400, 'M_INVALID_PARAM'],
    ['a NUL in the user type', { user_type: 'bo\0t' }, 400, 'M_INVALID_PARAM'],
    ['a password of 7', { password: '1234567' }, 400, 'M_WEAK_PASSWORD'],
    ['an empty password', { password: '' }, 400, 'M_MISSING_PARAM'],
    ['a password of 513', { password: 'x'.repeat(513) }, 400, 'M_BAD_JSON'],
    ['a number for a name', { username: 1 }, 400, 'M_BAD_JSON'],
    ['a text for admin', { admin: 'false' }, 400, 'M_BAD_JSON'],
    ['a number for admin', { admin: 1 }, 400, 'M_BAD_JSON'],
    ['a number for a nonce', { nonce: 1 }, 400, 'M_BAD_JSON'],
  ])('refuses %s', async (_name, fields, status, errcode) => {
    const before = await accounts(world);
    expect(errorOf(await register(fields))).toEqual([status, errcode]);
    expect(await accounts(world)).toBe(before);
  });

  it.each([
    ['broken JSON', '{x'],
    ['an empty body', ''],
    ['a list', '[]'],
    ['a text', '"text"'],
  ])('refuses %s as M_BAD_JSON', async (_name, body) => {
    expect(errorOf(await world.request('POST', path, { body }))).toEqual([400, 'M_BAD_JSON']);
  });

  it.each([72, 73, 512])('makes an account that can log in with a password of %d bytes', async (length) => {
    const username = newName();
    const password = 'x'.repeat(length);
    expect((await register({ username, password })).status).toBe(200);
    expect(await login(world, username, password)).toBe(200);
    expect(await login(world, username, `${password.slice(0, -1)}y`)).toBe(403);
  });

  it('trap 28: refuses the name of an account that there is, deactivated or not', async () => {
    const username = newName();
    const userId = `@${username}:test.example`;
    await register({ username });
    const again = { username, password: 'another password', admin: true };
    expect(errorOf(await register(again))).toEqual([400, 'M_USER_IN_USE']);
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE user_id = ${userId}`.execute(world.sql);
    expect(errorOf(await register(again))).toEqual([400, 'M_USER_IN_USE']);
    const stored = await sql`SELECT account_type, is_deactivated FROM userapi_accounts
      WHERE user_id = ${userId}`.execute(world.sql);
    expect(stored.rows).toEqual([{ account_type: 1, is_deactivated: true }]);
  });

  it('of two at once with one name, one gets it', async () => {
    const username = newName();
    const answers = await Promise.all([register({ username }), register({ username })]);
    expect(answers.map((answer) => errorOf(answer)).sort()).toEqual([
      [200, undefined],
      [400, 'M_USER_IN_USE'],
    ]);
  });

  it('takes a MAC in capitals, and keys in any case', async () => {
    const body = { nonce: await nonce(), username: newName(), password: 'a good password' };
    const mac = macOf(body).toUpperCase();
    const { username, ...rest } = body;
    expect(
      (await world.request('POST', path, { body: { ...rest, Username: username, MAC: mac } })).status,
    ).toBe(200);
  });

  it('takes no other method', async () => {
    expect(errorOf(await world.request('PUT', path))).toEqual([405, 'M_UNRECOGNIZED']);
  });

  it('trap 26: a MAC under another secret is worth nothing', async () => {
    const body = { nonce: await nonce(), username: newName(), password: 'a good password', admin: true };
    const mac = macOf(body, 'registration_shared_secret');
    expect(errorOf(await world.request('POST', path, { body: { ...body, mac } }))).toEqual([
      403,
      'M_FORBIDDEN',
    ]);
  });
});

describe('shared-secret registration, elsewhere', () => {
  it('P6: gives no more nonces than are to be in use at once, and forgets those whose time is up', async () => {
    const world = await startWorld();
    const { redis, prefix } = world.homeserver.platform.bus;
    const key = `${prefix}:register-nonces`;
    const far = Date.now() + 50_000;
    const many = Array.from({ length: 10_000 }, (_, index) => [far, `filler${index}`]).flat();
    await redis.zadd(key, ...(many as [number, string]));
    const refused = await world.request('GET', path);
    expect(errorOf(refused)).toEqual([429, 'M_LIMIT_EXCEEDED']);
    expect(refused.body['retry_after_ms']).toEqual(expect.any(Number));
    await redis.zadd(key, Date.now() - 1, 'filler0');
    expect((await world.request('GET', path)).status).toBe(200);
    expect(await redis.zscore(key, 'filler0')).toBeNull();
    expect(await redis.pttl(key)).toBeGreaterThan(0);
    await world.stop();
  });

  it('trap 27: does not exist without a secret', async () => {
    const world = await startWorld({ sharedSecret: null });
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      expect(errorOf(await world.request(method, path))).toEqual([404, 'M_UNRECOGNIZED']);
    }
    await world.stop();
  });
});

async function login(world: World, user: string, password: string): Promise<number> {
  const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
  return (await world.request('POST', '/_matrix/client/v3/login', { body })).status;
}

async function accounts(world: World): Promise<number> {
  const found = await sql`SELECT FROM userapi_accounts`.execute(world.sql);
  return found.rows.length;
}
