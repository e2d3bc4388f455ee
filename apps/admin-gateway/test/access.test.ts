import { request } from 'node:http';

import { sql } from 'kysely';

import { errorOf, Stage } from './stage.ts';

const evacuate = '/_dendrite/admin/evacuateRoom/!none:test.example';

describe('the admin API', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  const withHeader = async (authorization: string, query = ''): Promise<[number, unknown]> =>
    errorOf(
      await stage.world.request('POST', `${evacuate}${query}`, { headers: { Authorization: authorization } }),
    );

  it('takes a token as a header or in the query, exactly in one of them', async () => {
    const { token } = stage.admin;
    expect(await withHeader(`Bearer ${token}`)).toEqual([404, 'M_NOT_FOUND']);
    expect(errorOf(await stage.world.request('POST', `${evacuate}?access_token=${token}`))).toEqual([
      404,
      'M_NOT_FOUND',
    ]);
    expect(await withHeader(`Bearer ${token}`, `?access_token=${token}`)).toEqual([401, 'M_MISSING_TOKEN']);
    expect(await withHeader(`bearer ${token}`)).toEqual([401, 'M_MISSING_TOKEN']);
    expect(await withHeader('Basic x')).toEqual([401, 'M_MISSING_TOKEN']);
    expect(await withHeader('Bearer none')).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it('answers a wrong method before it asks for a token', async () => {
    for (const method of ['PUT', 'DELETE']) {
      expect(errorOf(await stage.world.request(method, evacuate))).toEqual([405, 'M_UNRECOGNIZED']);
    }
    const head = await stage.world.request('HEAD', evacuate);
    expect([head.status, head.text]).toEqual([405, '']);
    const reset = '/_dendrite/admin/resetPassword/user';
    expect(errorOf(await stage.world.request('GET', reset))).toEqual([405, 'M_UNRECOGNIZED']);
  });

  it.each([
    '/_dendrite/admin/unknown',
    '/_dendrite/admin/evacuateRoom/',
    '/_dendrite/admin/evacuateRoom',
    '/_dendrite/admin/evacuateRoom/!r:test.example/',
    '/_dendrite/admin/evacuateRoom/!r:test.example/more',
    '/_dendrite//admin/evacuateRoom/x',
  ])('does not know %s', async (path) => {
    expect(errorOf(await stage.world.request('POST', path))).toEqual([404, 'M_UNRECOGNIZED']);
  });

  it('refuses a path that cannot be unescaped', async () => {
    expect(await rawStatus(stage.world.url, '/_dendrite/admin/evacuateRoom/%zz', stage.admin.token)).toBe(
      400,
    );
  });

  it('answers OPTIONS without a token, with the headers for browsers', async () => {
    const answer = await stage.world.request('OPTIONS', evacuate);
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
      'access-control-allow-headers': expect.stringMatching(
        /^Origin, X-Requested-With, Content-Type, Accept, Authorization, /,
      ) as string,
    });
  });

  it('the line of the README makes an administrator, at the next request', async () => {
    const { world } = stage;
    const alice = await world.register('alice');
    expect(errorOf(await alice.request('POST', evacuate))).toEqual([403, 'M_FORBIDDEN']);
    await sql`UPDATE userapi_accounts SET account_type = 3 WHERE localpart = 'alice';`.execute(world.sql);
    expect(errorOf(await alice.request('POST', evacuate))).toEqual([404, 'M_NOT_FOUND']);
    await sql`UPDATE userapi_accounts SET account_type = 1 WHERE localpart = 'alice';`.execute(world.sql);
    expect(errorOf(await alice.request('POST', evacuate))).toEqual([403, 'M_FORBIDDEN']);
  });

  it('refuses the token of a deactivated administrator', async () => {
    const { world } = stage;
    const carol = await world.register('carol', { admin: true });
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE localpart = 'carol'`.execute(world.sql);
    expect(errorOf(await carol.request('POST', evacuate))).toEqual([401, 'M_UNKNOWN_TOKEN']);
  });

  it.each(['up', 'health'])('answers /_dendrite/monitor/%s with nothing but 200', async (name) => {
    const answer = await stage.world.request('GET', `/_dendrite/monitor/${name}`);
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

describe('the admin API on a listener of its own', () => {
  it('is served there and nowhere else', async () => {
    const stage = await Stage.open({ settings: { SENESCHAL_ADMIN_LISTEN: '127.0.0.1:0' } });
    const { world, admin } = stage;
    const { adminAddress } = world.homeserver;
    expect(errorOf(await admin.request('POST', evacuate))).toEqual([404, 'M_UNRECOGNIZED']);
    const headers = { Authorization: `Bearer ${admin.token}` };
    const apart = await fetch(`${adminAddress}${evacuate}`, { method: 'POST', headers });
    expect(await apart.json()).toMatchObject({ errcode: 'M_NOT_FOUND' });
    const client = await fetch(`${adminAddress}/_matrix/client/v3/account/whoami`, { headers });
    expect(client.status).toBe(404);
    await stage.stop();
  });
});

describe('the admin API kept to some addresses', () => {
  it('is refused from elsewhere before a token is looked at, the client API is not', async () => {
    const settings = { SENESCHAL_ADMIN_ALLOWED_NETWORKS: '192.0.2.0/24' };
    const { world, admin } = await Stage.open({ settings });
    try {
      for (const token of [admin.token, 'none']) {
        const refused = await world.request('POST', evacuate, { token });
        expect(errorOf(refused)).toEqual([403, 'M_FORBIDDEN']);
      }
      const register = '/_synapse/admin/v1/register';
      expect(errorOf(await world.request('GET', register))).toEqual([403, 'M_FORBIDDEN']);
      const whoami = await admin.request('GET', '/_matrix/client/v3/account/whoami');
      expect(whoami.status).toBe(200);
      const whois = (of: string): string => `/_matrix/client/v3/admin/whois/${encodeURIComponent(of)}`;
      expect((await admin.request('GET', whois(admin.userId))).status).toBe(200);
      const other = await admin.request('GET', whois('@user:test.example'));
      expect(errorOf(other)).toEqual([403, 'M_FORBIDDEN']);
    } finally {
      await world.stop();
    }
  });
});

/** fetch would mend the path. */
function rawStatus(url: string, path: string, token: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    request(
      { hostname, port, path, method: 'POST', headers: { Authorization: `Bearer ${token}` } },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      },
    )
      .on('error', reject)
      .end();
  });
}
