import { sql } from 'kysely';

import { userapi } from '@seneschal/contracts';
import { startWorld, type TestAnswer, type World } from '@seneschal/testing';

const settings = { SENESCHAL_REGISTRATION_ENABLED: 'on', SENESCHAL_REGISTRATION_REQUIRES_TOKEN: 'on' };
const path = '/_matrix/client/v3/register';
const validityPath = '/_matrix/client/v1/register/m.login.registration_token/validity';
const stages = ['m.login.registration_token', 'm.login.dummy'];

let world: World;
beforeAll(async () => {
  world = await startWorld({ settings });
});
afterAll(() => world.stop());

let number = 0;
async function newToken(usesAllowed: number | null = null): Promise<string> {
  const token = `invitation${(number += 1)}`;
  const input = { token, length: 16, usesAllowed, expiryTime: null, createdBy: '@admin:test.example' };
  await world.homeserver.platform.bus.call(userapi.createRegistrationToken, input);
  return token;
}

const register = (username: string, auth?: object): Promise<TestAnswer> =>
  world.request('POST', path, { body: { username, password: 'the password', auth } });

/** Goes through the token's stage; answers the session. */
async function present(username: string, token: string): Promise<string> {
  const begun = await register(username);
  const session = String(begun.body['session']);
  const shown = await register(username, { type: 'm.login.registration_token', token, session });
  expect([shown.status, shown.body['completed'], shown.body['errcode']]).toEqual([
    401,
    ['m.login.registration_token'],
    undefined,
  ]);
  return session;
}

const finish = (username: string, session: string) => register(username, { type: 'm.login.dummy', session });

async function counts(token: string): Promise<[pending: unknown, completed: unknown]> {
  const found = await sql<{ pending: number; completed: number }>`
    SELECT completed, (SELECT count(*) FROM userapi_registration_holds h WHERE h.token_nid = t.token_nid) AS pending
    FROM userapi_registration_tokens t WHERE token = ${token}
  `.execute(world.sql);
  return [found.rows[0]?.pending, found.rows[0]?.completed];
}

async function isValid(token: string): Promise<unknown> {
  return (await world.request('GET', validityPath, { query: { token } })).body['valid'];
}

describe('POST /register where it takes a token', () => {
  it('P3: makes no account without a token', async () => {
    const asked = await register('nobody');
    expect(asked).toMatchObject({ status: 401, body: { flows: [{ stages }], completed: [] } });
    const dummy = await finish('nobody', String(asked.body['session']));
    expect(dummy).toMatchObject({ status: 401, body: { completed: ['m.login.dummy'] } });
    const bare = await register('nobody', { type: 'm.login.dummy' });
    expect(bare.status).toBe(401);
    const available = await world.request('GET', `${path}/available`, { query: { username: 'nobody' } });
    expect(available.status).toBe(200);
  });

  it('P3: counts a use as pending, then as completed', async () => {
    const token = await newToken(1);
    await expect(isValid(token)).resolves.toBe(true);
    const session = await present('alice', token);
    await expect(counts(token)).resolves.toEqual([1, 0]);
    await expect(isValid(token)).resolves.toBe(false);
    await expect(finish('alice', session)).resolves.toMatchObject({
      status: 200,
      body: { user_id: '@alice:test.example', access_token: expect.any(String) as string },
    });
    await expect(counts(token)).resolves.toEqual([0, 1]);
    await expect(isValid(token)).resolves.toBe(false);
    expect((await finish('alice2', session)).status).toBe(401);
  });

  it('P3: 20 parallel registrations on a token for one make one account', async () => {
    const token = await newToken(1);
    const one = async (index: number): Promise<number> => {
      const username = `crowd${index}`;
      const begun = await register(username);
      const session = String(begun.body['session']);
      await register(username, { type: 'm.login.registration_token', token, session });
      return (await finish(username, session)).status;
    };
    const statuses = await Promise.all(Array.from({ length: 20 }, (_, index) => one(index)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(19);
    await expect(counts(token)).resolves.toEqual([0, 1]);
    const made = await sql<{ n: number }>`SELECT count(*) AS n FROM userapi_accounts
      WHERE localpart LIKE 'crowd%'`.execute(world.sql);
    expect(made.rows[0]?.n).toBe(1);
  });

  it('P3: one session finished 20 times at once makes one account', async () => {
    const token = await newToken();
    const session = await present('impatient', token);
    const answers = await Promise.all(Array.from({ length: 20 }, () => finish('impatient', session)));
    expect(answers.filter((one) => one.status === 200)).toHaveLength(1);
    await expect(counts(token)).resolves.toEqual([0, 1]);
  });

  it('takes a token at once, without a session before, and both stages in the other order', async () => {
    const token = await newToken(2);
    const shown = await register('quick', { type: 'm.login.registration_token', token });
    expect((await finish('quick', String(shown.body['session']))).status).toBe(200);
    const dummy = await register('turned', { type: 'm.login.dummy' });
    const session = String(dummy.body['session']);
    const auth = { type: 'm.login.registration_token', token, session };
    expect((await register('turned', auth)).status).toBe(200);
    await expect(counts(token)).resolves.toEqual([0, 2]);
  });

  it('says 401 M_UNAUTHORIZED to a wrong token, and the session may go on with a right one', async () => {
    const token = await newToken();
    const session = String((await register('typist')).body['session']);
    const wrong = { type: 'm.login.registration_token', token: 'mistyped', session };
    await expect(register('typist', wrong)).resolves.toMatchObject({
      status: 401,
      body: { errcode: 'M_UNAUTHORIZED', session, completed: [] },
    });
    expect((await register('typist', { ...wrong, token })).body['completed']).toEqual([stages[0]]);
    expect((await finish('typist', session)).status).toBe(200);
  });

  it.each([
    ['none', undefined],
    ['a NUL', '\0'],
    ['a long one', 'x'.repeat(1000)],
    ['a number', 5],
  ])('holds nothing for %s', async (_, token) => {
    const answer = await register('odd', { type: 'm.login.registration_token', token });
    expect([400, 401]).toContain(answer.status);
    expect(answer.body['completed'] ?? []).toEqual([]);
  });

  it('gives the use back when the account cannot be made', async () => {
    const token = await newToken(1);
    const session = await present('unlucky', token);
    await world.register('unlucky');
    // The name is looked up before the stages, so that only who is in between meets it here.
    await expect(finish('unlucky', session)).resolves.toMatchObject({ body: { errcode: 'M_USER_IN_USE' } });
    const second = await present('lucky', await newToken(1));
    await sql`UPDATE userapi_registration_holds SET expires_ts = 0`.execute(world.sql);
    await expect(finish('lucky', second)).resolves.toMatchObject({
      status: 403,
      body: { errcode: 'M_FORBIDDEN' },
    });
    const third = String((await world.request('POST', path, { body: {} })).body['session']);
    const withoutPassword = (auth: object) =>
      world.request('POST', path, { body: { auth: { ...auth, session: third } } });
    await withoutPassword({ type: 'm.login.registration_token', token });
    await expect(counts(token)).resolves.toEqual([1, 0]);
    await expect(withoutPassword({ type: 'm.login.dummy' })).resolves.toMatchObject({
      body: { errcode: 'M_MISSING_PARAM' },
    });
    await expect(counts(token)).resolves.toEqual([0, 0]);
  });

  it('begins again after Redis has lost the sessions, with the same token', async () => {
    const token = await newToken(2);
    const session = await present('forgetful', token);
    const { redis, prefix } = world.homeserver.platform.bus;
    await redis.del(`${prefix}:uia:${session}`);
    const lost = await finish('forgetful', session);
    expect(lost).toMatchObject({ status: 401, body: { flows: [{ stages }], completed: [] } });
    expect((await finish('forgetful', await present('forgetful', token))).status).toBe(200);
  });
});

describe('GET …/m.login.registration_token/validity', () => {
  it('says false of a token that there is not', async () => {
    await expect(isValid('unheard-of')).resolves.toBe(false);
    const missing = await world.request('GET', validityPath);
    expect(missing).toMatchObject({ status: 400, body: { errcode: 'M_MISSING_PARAM' } });
  });

  it('is refused where registration is closed', async () => {
    const closed = await startWorld();
    try {
      const answer = await closed.request('GET', validityPath, { query: { token: 'x' } });
      expect(answer).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    } finally {
      await closed.stop();
    }
  });
});
