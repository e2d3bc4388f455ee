import { type JsonObject, verifyJson } from '@seneschal/matrix';
import { startWorld, type World } from '@seneschal/testing';

describe('the federation gateway', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  it('publishes the key that it signs with, signed by itself, for a time', async () => {
    const { status, body } = await world.request('GET', '/_matrix/key/v2/server');
    expect([status, body['server_name']]).toEqual([200, world.serverName]);
    const [keyId, { key }] = Object.entries(body['verify_keys'] as Record<string, { key: string }>)[0]!;
    expect(verifyJson(body as JsonObject, world.serverName, keyId, key)).toBe(true);
    const forged = { ...body, valid_until_ts: 0 } as JsonObject;
    expect(verifyJson(forged, world.serverName, keyId, key)).toBe(false);
    expect(body['valid_until_ts']).toBeGreaterThan(Date.now());
  });

  it('says what it is', async () => {
    const { body } = await world.request('GET', '/_matrix/federation/v1/version');
    expect(body).toEqual({ server: { name: 'Seneschal', version: expect.any(String) as string } });
  });

  it.each(['/_matrix/federation/v1/media/download/one', '/_matrix/federation/v1/3pid/onbind'])(
    'does not know %s',
    async (path) => {
      const { status, body } = await world.request('GET', path);
      expect([status, body['errcode']]).toEqual([404, 'M_UNRECOGNIZED']);
    },
  );
});
