import { errorOf, Stage } from './stage.ts';

const path = (userId: string, version = 'v3'): string =>
  `/_matrix/client/${version}/admin/whois/${encodeURIComponent(userId)}`;

describe('whois', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  it.each(['v3', 'r0'])('tells a user of the own sessions (%s)', async (version) => {
    const { user, world } = stage;
    const headers = { 'User-Agent': `client ${version}` };
    await user.request('GET', path(user.userId, version), { headers });
    await world.settled();
    const answer = await user.request('GET', path(user.userId, version), { headers });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      user_id: user.userId,
      devices: {
        [user.deviceId]: {
          sessions: [
            {
              connections: expect.arrayContaining([
                {
                  ip: '127.0.0.1',
                  last_seen: expect.any(Number) as number,
                  user_agent: `client ${version}`,
                },
              ]) as unknown[],
            },
          ],
        },
      },
    });
  });

  it('M2: knows every device and every connection it was seen on', async () => {
    const { world, admin } = stage;
    const bob = await world.register('bob', { deviceId: 'ONE' });
    for (const agent of ['first', 'second']) {
      await bob.request('GET', path(bob.userId), { headers: { 'User-Agent': agent } });
    }
    await world.settled();
    const { body } = await admin.request('GET', path(bob.userId));
    const devices = body['devices'] as Record<
      string,
      { sessions: { connections: { user_agent: string }[] }[] }
    >;
    expect(Object.keys(devices)).toEqual(['ONE']);
    const agents = devices['ONE']?.sessions[0]?.connections.map((one) => one.user_agent);
    expect(agents).toEqual(expect.arrayContaining(['first', 'second', 'test']));
  });

  it('M2: answers 404 for a local user that nobody is, and for a remote one', async () => {
    for (const userId of ['@nobody:test.example', '@user:elsewhere.example']) {
      expect(errorOf(await stage.admin.request('GET', path(userId)))).toEqual([404, 'M_NOT_FOUND']);
    }
  });

  it.each(['abc', '@x', '!r:test.example', '@a b:test.example'])(
    'answers 400 M_INVALID_PARAM for %j',
    async (userId) => {
      expect(errorOf(await stage.admin.request('GET', path(userId)))).toEqual([400, 'M_INVALID_PARAM']);
    },
  );

  it('trap 32: refuses an ordinary user the same for whomever else it asks', async () => {
    for (const userId of [stage.admin.userId, '@nobody:test.example', '@u:elsewhere.example', 'abc']) {
      const answer = await stage.user.request('GET', path(userId));
      expect(errorOf(answer)).toEqual([403, 'M_FORBIDDEN']);
    }
  });

  it('asks for a token, and takes no other method', async () => {
    expect(errorOf(await stage.world.request('GET', path('@user:test.example')))).toEqual([
      401,
      'M_MISSING_TOKEN',
    ]);
    expect(errorOf(await stage.admin.request('POST', path('@user:test.example')))).toEqual([
      405,
      'M_UNRECOGNIZED',
    ]);
  });

  it('trap 30: tells nothing of a user but what it declares', async () => {
    const carol = await stage.world.register('carol', { password: 'a good password' });
    const answer = await stage.admin.request('GET', path(carol.userId));
    expect(Object.keys(answer.body).sort()).toEqual(['devices', 'user_id']);
    expect(answer.text).not.toMatch(/\$2[aby]\$|sen_/);
  });
});
