import { startWorld, type World } from '@seneschal/testing';

const password = 'the password';
const settings = {
  SENESCHAL_PUBLIC_BASE_URL: 'https://matrix.test.example',
  SENESCHAL_DELEGATED_SERVER: 'matrix.test.example:443',
  SENESCHAL_SUPPORT_CONTACTS: '@alice:test.example, m.role.security security@test.example',
  SENESCHAL_SUPPORT_PAGE: 'https://test.example/support',
};
const homeserver = { 'm.homeserver': { base_url: 'https://matrix.test.example' } };

let told: World;
let silent: World;
beforeAll(async () => {
  told = await startWorld({ settings });
  silent = await startWorld();
});
afterAll(async () => {
  await told.stop();
  await silent.stop();
});

async function login(world: World) {
  const { userId: user } = await world.register('alice', { password });
  const body = { type: 'm.login.password', user, password };
  return (await world.request('POST', '/_matrix/client/v3/login', { body })).body;
}

describe('/.well-known/matrix', () => {
  it.each([
    ['client', homeserver],
    ['server', { 'm.server': 'matrix.test.example:443' }],
    [
      'support',
      {
        contacts: [
          { role: 'm.role.admin', matrix_id: '@alice:test.example' },
          { role: 'm.role.security', email_address: 'security@test.example' },
        ],
        support_page: 'https://test.example/support',
      },
    ],
  ])('tells of %s what is set, to pages of any origin', async (name, expected) => {
    const answer = await told.request('GET', `/.well-known/matrix/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(expected);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('content-type')).toContain('application/json');
  });

  it.each(['client', 'server', 'support'])('has nothing of %s where nothing is set', async (name) => {
    const { status, body, headers } = await silent.request('GET', `/.well-known/matrix/${name}`);
    expect([status, body['errcode']]).toEqual([404, 'M_NOT_FOUND']);
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  it('knows of no policy server', async () => {
    const { status } = await told.request('GET', '/.well-known/matrix/policy_server');
    expect(status).toBe(404);
  });

  it('is told to whoever logs in', async () => {
    expect(await login(told)).toMatchObject({ well_known: homeserver });
    expect(await login(silent)).not.toHaveProperty('well_known');
  });
});
