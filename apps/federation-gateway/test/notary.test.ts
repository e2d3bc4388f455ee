import { generateSigningKey, type JsonObject, own, signJson, verifyJson } from '@seneschal/matrix';
import { type Peer, peerSettings, startPeer, startWorld, type World } from '@seneschal/testing';
import { sql } from 'kysely';

const path = '/_matrix/key/v2/query';

let world: World, peer: Peer;
beforeAll(async () => {
  [world, peer] = await Promise.all([startWorld({ settings: peerSettings }), startPeer()]);
});
afterAll(() => Promise.all([world.stop(), peer.stop()]));

async function query(server: string, minimum?: number): Promise<JsonObject[]> {
  const rest = minimum === undefined ? '' : `?minimum_valid_until_ts=${minimum}`;
  const { status, body } = await world.request('GET', `${path}/${encodeURIComponent(server)}${rest}`);
  expect(status).toBe(200);
  return body['server_keys'] as JsonObject[];
}

/** The keys of this server, by which a notary's signature is checked. */
async function ourKeys(): Promise<[string, string]> {
  const { body } = await world.request('GET', '/_matrix/key/v2/server');
  const [[keyId, key] = []] = Object.entries(body['verify_keys'] as Record<string, { key: string }>);
  return [keyId ?? '', key?.key ?? ''];
}

describe('a notary', () => {
  it('passes keys on as they were published, with its signature beside theirs', async () => {
    const [keys] = await query(peer.serverName);
    expect(own(keys, 'server_name')).toBe(peer.serverName);
    const { keyId, publicKey } = peer.signer.key;
    expect(verifyJson(keys, peer.serverName, keyId, publicKey)).toBe(true);
    expect(verifyJson(keys, world.serverName, ...(await ourKeys()))).toBe(true);
  });

  it('answers for many, its own keys among them, and leaves out those that cannot be had', async () => {
    const servers = [peer.serverName, world.serverName, '127.0.0.1:1'];
    const body = { server_keys: Object.fromEntries(servers.map((name) => [name, {}])) };
    const answer = await world.request('POST', path, { body });
    const found = (answer.body['server_keys'] as JsonObject[]).map((one) => own(one, 'server_name'));
    expect(found.sort()).toEqual([peer.serverName, world.serverName].sort());
  });

  it('asks again for keys that are not valid long enough, and passes on what it has where that fails', async () => {
    const gone = await startPeer();
    const [before] = await query(gone.serverName);
    await gone.stop();
    await sql`UPDATE federation_key_answers SET valid_until_ts = 1 WHERE server_name = ${gone.serverName}`.execute(
      world.sql,
    );
    const [after] = await query(gone.serverName, Date.now() + 3_600_000);
    expect(own(after, 'valid_until_ts')).toEqual(own(before, 'valid_until_ts'));
  });

  it('believes no server that did not sign its keys, or answers for another', async () => {
    const liar = await startPeer();
    const key = generateSigningKey();
    const keys = {
      ...{ server_name: peer.serverName, valid_until_ts: Date.now() + 86_400_000, old_verify_keys: {} },
      verify_keys: { [key.keyId]: { key: key.publicKey } },
    };
    liar.answer('/_matrix/key/v2/server', () => ({ body: signJson(keys, peer.serverName, key) }));
    expect(await query(liar.serverName)).toEqual([]);
    await liar.stop();
  });

  it.each([
    ['GET', `${path}/no%20name`, undefined, 'M_INVALID_PARAM'],
    ['GET', `${path}/a.example?minimum_valid_until_ts=soon`, undefined, 'M_INVALID_PARAM'],
    ['POST', path, { server_keys: { 'no name': {} } }, 'M_INVALID_PARAM'],
    ['POST', path, { server_keys: [] }, 'M_BAD_JSON'],
    ['POST', path, {}, 'M_MISSING_PARAM'],
    [
      'POST',
      path,
      { server_keys: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`s${n}.example`, {}])) },
      'M_BAD_JSON',
    ],
  ] as const)('refuses %s %s with %j', async (method, uri, body, errcode) => {
    const answer = await world.request(method, uri, body === undefined ? {} : { body });
    expect([answer.status, answer.body['errcode']]).toEqual([400, errcode]);
  });
});
