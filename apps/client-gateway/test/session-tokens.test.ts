import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const base = '/_matrix/client/v3';
const password = 'the password';

interface Session {
  access_token: string;
  refresh_token: string;
  expires_in_ms: number;
  device_id: string;
}

let count = 0;
async function user(): Promise<TestClient> {
  count += 1;
  return world.register(`user${count}`, { password, deviceId: 'FIRST' });
}

const byPassword = ({ userId }: TestClient) => ({ type: 'm.login.password', user: userId, password });

const login = (body: object) => world.request('POST', `${base}/login`, { body });

async function renewable(client: TestClient): Promise<Session> {
  const { body } = await login({ ...byPassword(client), refresh_token: true });
  return body as unknown as Session;
}

const refresh = (refresh_token: string) =>
  world.request('POST', `${base}/refresh`, { body: { refresh_token } });

const refreshed = async (refresh_token: string) => (await refresh(refresh_token)).body as unknown as Session;

const whoami = (token: string) => world.request('GET', `${base}/account/whoami`, { token });

const refusal = async (answer: ReturnType<typeof whoami>) => {
  const { status, body } = await answer;
  return [status, body['errcode'], body['soft_logout'] ?? false];
};

const softLogout = [401, 'M_UNKNOWN_TOKEN', true];
const hardLogout = [401, 'M_UNKNOWN_TOKEN', false];

const expire = (client: TestClient) =>
  sql`UPDATE userapi_devices SET expires_ts = 1 WHERE user_id = ${client.userId} AND expires_ts IS NOT NULL`.execute(
    world.sql,
  );

describe('refresh tokens', () => {
  it('are for those who ask for them', async () => {
    const alice = await user();
    const without = await login(byPassword(alice));
    expect(Object.keys(without.body).sort()).toEqual(['access_token', 'device_id', 'home_server', 'user_id']);
    const session = await renewable(alice);
    expect(session.expires_in_ms).toBe(3_600_000);
    expect((await whoami(session.access_token)).status).toBe(200);
  });

  it('renew an access token that has expired', async () => {
    const alice = await user();
    const session = await renewable(alice);
    await expire(alice);
    expect(await refusal(whoami(session.access_token))).toEqual(softLogout);
    const next = await refreshed(session.refresh_token);
    expect((await whoami(next.access_token)).body).toMatchObject({ device_id: session.device_id });
    expect((await whoami(alice.token)).status).toBe(200);
  });

  it('hold until one of the new tokens is used, and no longer', async () => {
    const session = await renewable(await user());
    const lost = await refreshed(session.refresh_token);
    expect((await whoami(session.access_token)).status).toBe(200);
    const next = await refreshed(session.refresh_token);
    expect(await refusal(whoami(lost.access_token))).toEqual(hardLogout);
    expect((await whoami(next.access_token)).status).toBe(200);
    expect(await refusal(whoami(session.access_token))).toEqual(hardLogout);
    expect(await refusal(refresh(session.refresh_token))).toEqual(softLogout);
    const third = await refreshed(next.refresh_token);
    const fourth = await refreshed(third.refresh_token);
    expect(await refusal(refresh(next.refresh_token))).toEqual(softLogout);
    expect((await whoami(fourth.access_token)).status).toBe(200);
  });

  it('asked for twice at once leave one session that works', async () => {
    const session = await renewable(await user());
    const both = await Promise.all([refreshed(session.refresh_token), refreshed(session.refresh_token)]);
    const statuses = await Promise.all(both.map(async (one) => (await whoami(one.access_token)).status));
    expect(statuses.sort()).toEqual([200, 401]);
  });

  it('end with the session, with a new login of the device and with the account', async () => {
    const alice = await user();
    const session = await renewable(alice);
    await world.request('POST', `${base}/logout`, { token: session.access_token, body: {} });
    expect(await refusal(refresh(session.refresh_token))).toEqual(softLogout);
    const other = await renewable(alice);
    await login({ ...byPassword(alice), device_id: other.device_id });
    expect(await refusal(refresh(other.refresh_token))).toEqual(softLogout);
  });

  it('hold for ever unless a time is set', async () => {
    const alice = await user();
    await renewable(alice);
    const kept = await sql`SELECT FROM userapi_devices WHERE user_id = ${alice.userId}
      AND (refresh_expires_ts IS NOT NULL OR next_refresh_expires_ts IS NOT NULL)`.execute(world.sql);
    expect(kept.rows).toEqual([]);
  });

  it('come with a registration that asks for them', async () => {
    const open = await startWorld({ settings: { SENESCHAL_REGISTRATION_ENABLED: 'on' } });
    try {
      const body = { username: 'new', password, auth: { type: 'm.login.dummy' }, refresh_token: true };
      const answer = await open.request('POST', `${base}/register`, { body });
      expect(answer.body).toMatchObject({ expires_in_ms: 3_600_000 });
      const again = { refresh_token: answer.body['refresh_token'] };
      expect((await open.request('POST', `${base}/refresh`, { body: again })).status).toBe(200);
    } finally {
      await open.stop();
    }
  });

  it.each([
    [{}, 400, 'M_MISSING_PARAM'],
    [{ refresh_token: 1 }, 400, 'M_BAD_JSON'],
    [{ refresh_token: 'x\0' }, 400, 'M_BAD_JSON'],
    [{ refresh_token: 'unknown' }, 401, 'M_UNKNOWN_TOKEN'],
  ])('%j is refused', async (body, status, errcode) => {
    const answer = await world.request('POST', `${base}/refresh`, { body });
    expect(answer).toMatchObject({ status, body: { errcode } });
  });
});

const tokenPath = '/_matrix/client/v1/login/get_token';

async function loginToken(client: TestClient): Promise<string> {
  const auth = byPassword(client);
  const answer = await client.request('POST', tokenPath, { body: { auth } });
  expect(answer.body['expires_in_ms']).toBe(120_000);
  return answer.body['login_token'] as string;
}

const byToken = (token: string) => login({ type: 'm.login.token', token });

describe('login tokens', () => {
  it('let one other device in, once, after the user has proven who asks', async () => {
    const alice = await user();
    expect((await world.request('POST', tokenPath, { body: {} })).status).toBe(401);
    const challenge = await alice.request('POST', tokenPath, { body: {} });
    expect(challenge).toMatchObject({ status: 401, body: { flows: [{ stages: ['m.login.password'] }] } });
    const token = await loginToken(alice);
    const again = await alice.request('POST', tokenPath, { body: {} });
    expect(again.status).toBe(401);
    const session = await byToken(token);
    expect(session).toMatchObject({ status: 200, body: { user_id: alice.userId } });
    expect(await refusal(byToken(token))).toEqual([403, 'M_FORBIDDEN', false]);
  });

  it('let in one of many who come at once', async () => {
    const token = await loginToken(await user());
    const all = await Promise.all(Array.from({ length: 8 }, () => byToken(token)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(all.filter(({ status }) => status === 403)).toHaveLength(7);
  });

  it('are worth nothing after two minutes, or once the device is gone that asked', async () => {
    const alice = await user();
    const late = await loginToken(alice);
    await sql`UPDATE userapi_login_tokens SET expires_ts = 1 WHERE user_id = ${alice.userId}`.execute(
      world.sql,
    );
    expect((await byToken(late)).status).toBe(403);
    const token = await loginToken(alice);
    await alice.call('POST', '/logout');
    expect((await byToken(token)).status).toBe(403);
    const rows = await sql`SELECT FROM userapi_login_tokens WHERE user_id = ${alice.userId}`.execute(
      world.sql,
    );
    expect(rows.rows).toEqual([]);
  });

  it.each([
    ['no token', { type: 'm.login.token' }, 400, 'M_MISSING_PARAM'],
    ['an unknown token', { type: 'm.login.token', token: 'x' }, 403, 'M_FORBIDDEN'],
    ['a token that is a number', { type: 'm.login.token', token: 1 }, 400, 'M_BAD_JSON'],
  ])('%s is refused', async (_, body, status, errcode) => {
    expect(await login(body)).toMatchObject({ status, body: { errcode } });
  });
});

it('row 20 (CVE-2023-32682): no token and no password lets anybody into a deactivated account', async () => {
  const alice = await user();
  const session = await renewable(alice);
  const unused = await refreshed(session.refresh_token);
  const token = await loginToken(alice);
  await alice.call('POST', '/account/deactivate', { auth: byPassword(alice) });
  expect((await login(byPassword(alice))).status).toBe(403);
  expect((await byToken(token)).status).toBe(403);
  expect(await refusal(refresh(session.refresh_token))).toEqual(softLogout);
  expect(await refusal(refresh(unused.refresh_token))).toEqual(softLogout);
  for (const one of [alice.token, session.access_token, unused.access_token]) {
    expect((await whoami(one)).status).toBe(401);
  }
});

it('row 21 (CVE-2023-41335): keeps no password and no token as it is, in the database or in Redis', async () => {
  const alice = await user();
  const session = await renewable(alice);
  const next = await refreshed(session.refresh_token);
  const token = await loginToken(alice);
  const tokens = [session.access_token, session.refresh_token, next.access_token, next.refresh_token, token];
  const secrets = [...tokens, password];
  const tables = await sql<{ name: string }>`SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`.execute(world.sql);
  for (const { name } of tables.rows) {
    const found = await sql<{ count: number }>`SELECT count(*) AS count FROM ${sql.id(name)} AS t
      WHERE EXISTS (SELECT FROM unnest(${secrets}::text[]) AS secret WHERE strpos(t::text, secret) > 0)`.execute(
      world.sql,
    );
    expect([name, found.rows[0]?.count]).toEqual([name, 0]);
  }
  const { redis, prefix } = world.homeserver.platform.bus;
  for (const key of await redis.keys(`${prefix}:*`)) {
    const type = await redis.type(key);
    const kept = JSON.stringify(
      type === 'hash' ? await redis.hgetall(key) : type === 'string' ? await redis.get(key) : '',
    );
    for (const secret of secrets) expect(kept).not.toContain(secret);
  }
});
