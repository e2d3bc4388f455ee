import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

let world: World;
beforeAll(async () => {
  world = await startWorld({ settings: { SENESCHAL_REFRESH_TOKEN_LIFETIME: '90d' } });
});
afterAll(() => world.stop());

const base = '/_matrix/client/v3';
const password = 'the password';
const days90 = 90 * 86_400_000;
const softLogout = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true } };

async function login({ userId: user }: TestClient, more: object = {}): Promise<Record<string, string>> {
  const body = { type: 'm.login.password', user, password, refresh_token: true, ...more };
  return (await world.request('POST', `${base}/login`, { body })).body as Record<string, string>;
}

const refresh = (refresh_token = '') => world.request('POST', `${base}/refresh`, { body: { refresh_token } });

interface Kept {
  hash: string | null;
  expires: number | null;
  next: string | null;
  nextExpires: number | null;
}

async function kept(client: TestClient, deviceId = ''): Promise<Kept | undefined> {
  const found = await sql<Kept>`SELECT refresh_hash AS hash, refresh_expires_ts AS expires,
    next_refresh_hash AS next, next_refresh_expires_ts AS "nextExpires"
    FROM userapi_devices WHERE user_id = ${client.userId} AND device_id = ${deviceId}`.execute(world.sql);
  return found.rows[0];
}

const expire = (client: TestClient, column: string) =>
  sql`UPDATE userapi_devices SET ${sql.id(column)} = 1 WHERE user_id = ${client.userId}
    AND refresh_hash IS NOT NULL`.execute(world.sql);

describe('refresh tokens that expire', () => {
  it('hold for the time that is set, each for its own', async () => {
    const alice = await world.register('alice', { password });
    const start = Date.now();
    const session = await login(alice);
    expect((await kept(alice, session['device_id']))?.expires).toBeGreaterThanOrEqual(start + days90);
    expect((await refresh(session['refresh_token'])).status).toBe(200);
    expect((await kept(alice, session['device_id']))?.nextExpires).toBeGreaterThanOrEqual(start + days90);
  });

  it('tell the client to log in again, which goes on with its device', async () => {
    const bob = await world.register('bob', { password });
    const session = await login(bob);
    await expire(bob, 'refresh_expires_ts');
    for (let time = 0; time < 2; time += 1) {
      expect(await refresh(session['refresh_token'])).toMatchObject(softLogout);
    }
    const again = await login(bob, { device_id: session['device_id'] });
    expect(again['device_id']).toBe(session['device_id']);
    expect((await refresh(again['refresh_token'])).status).toBe(200);
  });

  it('are no longer than their successors: the one that was given out last goes on', async () => {
    const carol = await world.register('carol', { password });
    const first = await login(carol);
    const second = (await refresh(first['refresh_token'])).body as Record<string, string>;
    await expire(carol, 'refresh_expires_ts');
    expect(await refresh(first['refresh_token'])).toMatchObject(softLogout);
    expect((await refresh(second['refresh_token'])).status).toBe(200);
  });

  it('are swept away by the next refresh of anybody, and their devices stay', async () => {
    const dora = await world.register('dora', { password });
    const old = await login(dora);
    await refresh(old['refresh_token']);
    await expire(dora, 'refresh_expires_ts');
    await expire(dora, 'next_refresh_expires_ts');
    const erin = await world.register('erin', { password });
    const session = await login(erin);
    const answers = await Promise.all([refresh(session['refresh_token']), refresh(session['refresh_token'])]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const gone = { hash: null, expires: null, next: null, nextExpires: null };
    expect(await kept(dora, old['device_id'])).toEqual(gone);
  });
});
