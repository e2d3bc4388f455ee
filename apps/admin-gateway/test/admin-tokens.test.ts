import { randomBytes } from 'node:crypto';

import { userapi } from '@seneschal/contracts';
import { rowsOf, send, type TestAnswer } from '@seneschal/testing';
import { sql } from 'kysely';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/admin-tokens';

describe('admin tokens of machines', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  itRefusesOthers(
    () => stage,
    'GET',
    () => [path],
  );
  itRefusesOthers(
    () => stage,
    'POST',
    () => [path],
  );

  const make = async (over: object = {}, by = stage.admin): Promise<{ id: string; token: string }> => {
    const answer = await by.request('POST', path, { body: { name: 'backup', scopes: ['read'], ...over } });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    return answer.body as { id: string; token: string };
  };
  const as = (token: string, method = 'GET', to = path): Promise<TestAnswer> =>
    send(stage.world.url, method, to, { token });

  it('work for their scopes alone, and never outside the admin API', async () => {
    const { token } = await make();
    expect(token).toMatch(/^senadm_[\w-]{43}$/);
    expect((await as(token)).status).toBe(200);
    const evacuate = '/_dendrite/admin/evacuateRoom/!none:test.example';
    for (const method of ['GET', 'POST']) {
      expect(errorOf(await as(token, method, evacuate))).toEqual([403, 'M_FORBIDDEN']);
    }
    const rooms = await make({ scopes: ['rooms'] });
    expect(errorOf(await as(rooms.token, 'POST', evacuate))).toEqual([404, 'M_NOT_FOUND']);
    expect(errorOf(await as(rooms.token))).toEqual([403, 'M_FORBIDDEN']);
    for (const to of ['/_matrix/client/v3/account/whoami', '/_matrix/client/v3/sync?timeout=0']) {
      expect(errorOf(await as(token, 'GET', to))).toEqual([403, 'M_FORBIDDEN']);
    }
  });

  it('make no others, whatever their scopes', async () => {
    const { token } = await make({ scopes: ['server', 'read', 'users'] });
    const body = { name: 'more', scopes: ['server'] };
    const answer = await send(stage.world.url, 'POST', path, { token, body });
    expect(errorOf(answer)).toEqual([403, 'M_FORBIDDEN']);
  });

  it('are revoked at once, once', async () => {
    const { id, token } = await make();
    expect((await stage.admin.request('DELETE', `${path}/${id}`)).status).toBe(200);
    expect(errorOf(await as(token))).toEqual([401, 'M_UNKNOWN_TOKEN']);
    expect(errorOf(await stage.admin.request('DELETE', `${path}/${id}`))).toEqual([404, 'M_NOT_FOUND']);
  });

  it('expire', async () => {
    const { id, token } = await make({ expires_ts: Date.now() + 3_600_000 });
    expect((await as(token)).status).toBe(200);
    await sql`UPDATE userapi_admin_tokens SET expires_ts = 1 WHERE id = ${id}`.execute(stage.world.sql);
    expect(errorOf(await as(token))).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it('are used from the addresses that they were made for', async () => {
    const elsewhere = await make({ allowed_addresses: ['10.0.0.0/8', '2001:db8::/32'] });
    expect(errorOf(await as(elsewhere.token))).toEqual([403, 'M_FORBIDDEN']);
    const here = await make({ allowed_addresses: ['10.0.0.0/8', '127.0.0.0/8'] });
    expect((await as(here.token)).status).toBe(200);
  });

  it('outlive the sessions of who made them, but not the right', async () => {
    const maker = await stage.world.register('maker', { admin: true });
    const { token } = await make({}, maker);
    await maker.call('POST', '/logout/all', {});
    expect((await as(token)).status).toBe(200);
    await sql`UPDATE userapi_accounts SET account_type = 1 WHERE localpart = 'maker'`.execute(
      stage.world.sql,
    );
    expect(errorOf(await as(token))).toEqual([401, 'M_UNKNOWN_TOKEN']);
    const input = { id: 'x', tokenHash: 'x', name: 'x', scopes: [], addresses: [], expiresTs: null };
    const call = stage.world.homeserver.platform.bus.call(userapi.createAdminToken, {
      ...input,
      createdBy: maker.userId,
    });
    await expect(call).rejects.toMatchObject({ status: 403 });
  });

  it('stand nowhere but in the answer that made them', async () => {
    const { id, token } = await make();
    const list = await stage.admin.request('GET', path);
    expect(list.text).toContain(id);
    expect(list.text).not.toContain(token);
    const stored = await rowsOf(stage.world.sql, 'SELECT * FROM userapi_admin_tokens');
    const audit = await rowsOf(stage.world.sql, 'SELECT entry FROM audit_log');
    expect(JSON.stringify([stored, audit])).not.toContain(token);
    expect(stage.world.logs.join()).not.toContain(token);
  });

  it('are named in the audit log, and show when they were last used', async () => {
    const name = `nightly ${randomBytes(3).toString('hex')}`;
    const { id, token } = await make({ name });
    await as(token);
    const rows = await rowsOf<{ entry: string }>(stage.world.sql, 'SELECT entry FROM audit_log');
    const entry = rows.map((row) => JSON.parse(row.entry) as Record<string, unknown>);
    expect(entry.find((one) => one['admin_token'] === name)).toMatchObject({
      actor: stage.admin.userId,
      device_id: null,
      action: `GET ${path}`,
    });
    await stage.world.settled();
    const { body } = await stage.admin.request('GET', path);
    const found = (body['admin_tokens'] as { id: string; last_used_ts: number }[]).find(
      (one) => one.id === id,
    );
    expect(found?.last_used_ts).toBeGreaterThan(Date.now() - 60_000);
    const use = { uses: [{ id, ts: 5 }] };
    await stage.world.homeserver.platform.bus.call(userapi.recordAdminTokenUse, use);
    const { revokeAdminToken } = userapi;
    await stage.world.homeserver.platform.bus.call(revokeAdminToken, { id });
    expect(errorOf(await as(token))).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it.each([
    [{ name: '' }],
    [{ name: 'x'.repeat(101) }],
    [{ scopes: [] }],
    [{ scopes: ['all'] }],
    [{ scopes: 'read' }],
    [{ expires_ts: 1 }],
    [{ allowed_addresses: ['example.org'] }],
    [{ allowed_addresses: ['10.0.0.0/33'] }],
  ])('refuse %j', async (over) => {
    const answer = await stage.admin.request('POST', path, {
      body: { name: 'n', scopes: ['read'], ...over },
    });
    expect(answer.status).toBe(400);
  });
});
