import type { TestClient } from '@seneschal/testing';
import { sql } from 'kysely';

import { openStage, type Stage } from './stage.ts';

let stage: Stage;
openStage((opened) => (stage = opened));

const path = (userId: string): string =>
  `/_matrix/client/v3/user/${encodeURIComponent(userId)}/openid/request_token`;

async function tokenOf(client: TestClient): Promise<string> {
  const { body } = await client.request('POST', path(client.userId), { body: {} });
  return body['access_token'] as string;
}

const userinfo = (token?: string) =>
  stage.world.request('GET', '/_matrix/federation/v1/openid/userinfo', {
    query: token === undefined ? {} : { access_token: token },
  });

const unknown = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } };

/** Does nobody else any harm: a user of its own. */
const carol = (name: string): Promise<TestClient> => stage.world.register(name, { password: 'the password' });

describe('OpenID tokens', () => {
  it('tell others who the user is, as often as they ask', async () => {
    const { alice, world } = stage;
    const answer = await alice.request('POST', path(alice.userId), { body: {} });
    expect(answer.body).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'Bearer',
      matrix_server_name: world.serverName,
      expires_in: 3600,
    });
    const token = answer.body['access_token'] as string;
    for (let time = 0; time < 2; time += 1) {
      expect(await userinfo(token)).toMatchObject({ status: 200, body: { sub: alice.userId } });
    }
  });

  it('open nothing, and access tokens are none', async () => {
    const { alice, world } = stage;
    const token = await tokenOf(alice);
    expect(await world.request('GET', '/_matrix/client/v3/account/whoami', { token })).toMatchObject(unknown);
    expect(await world.request('POST', path(alice.userId), { token, body: {} })).toMatchObject(unknown);
    expect(await userinfo(alice.token)).toMatchObject(unknown);
  });

  it('are for oneself', async () => {
    const { alice, bob, world } = stage;
    expect((await world.request('POST', path(alice.userId), { body: {} })).status).toBe(401);
    const other = await bob.request('POST', path(alice.userId), { body: {} });
    expect(other).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  });

  it.each([
    ['a list', [], 400, 'M_BAD_JSON'],
    ['no JSON', '{', 400, 'M_NOT_JSON'],
  ])('are not given for %s', async (_, body, status, errcode) => {
    const { alice } = stage;
    expect(await alice.request('POST', path(alice.userId), { body })).toMatchObject({
      status,
      body: { errcode },
    });
  });

  it('are worth nothing when they are unknown, missing or a NUL', async () => {
    expect(await userinfo('unknown')).toMatchObject(unknown);
    expect(await userinfo()).toMatchObject({ status: 401, body: { errcode: 'M_MISSING_TOKEN' } });
    expect((await userinfo('a\0')).status).toBe(400);
  });

  it('expire, and the next one sweeps them away', async () => {
    const client = await carol('expiring');
    const token = await tokenOf(client);
    const { sql: db } = stage.world;
    await sql`UPDATE userapi_openid_tokens SET expires_ts = 1 WHERE user_id = ${client.userId}`.execute(db);
    expect(await userinfo(token)).toMatchObject(unknown);
    await Promise.all([tokenOf(client), tokenOf(client)]);
    const rows = await sql`SELECT FROM userapi_openid_tokens WHERE user_id = ${client.userId}`.execute(db);
    expect(rows.rows).toHaveLength(2);
  });

  it('end with the session, and with the account', async () => {
    const client = await carol('leaving');
    const token = await tokenOf(client);
    await client.call('POST', '/logout', {});
    expect(await userinfo(token)).toMatchObject(unknown);
    const other = await carol('gone');
    const last = await tokenOf(other);
    const auth = { type: 'm.login.password', user: other.userId, password: 'the password' };
    await other.call('POST', '/account/deactivate', { auth });
    expect(await userinfo(last)).toMatchObject(unknown);
  });

  it('say nothing of a locked account', async () => {
    const root = await stage.world.register('root', { admin: true });
    const client = await carol('locked');
    const token = await tokenOf(client);
    const lock = `/_matrix/client/v1/admin/lock/${encodeURIComponent(client.userId)}`;
    await root.request('PUT', lock, { body: { locked: true } });
    expect(await userinfo(token)).toMatchObject(unknown);
  });

  it('are kept as their hash alone', async () => {
    const token = await tokenOf(stage.bob);
    const kept = await sql<{ row: string }>`SELECT t::text AS row FROM userapi_openid_tokens AS t`.execute(
      stage.world.sql,
    );
    expect(kept.rows.length).toBeGreaterThan(0);
    expect(kept.rows.filter(({ row }) => row.includes(token))).toEqual([]);
  });
});
