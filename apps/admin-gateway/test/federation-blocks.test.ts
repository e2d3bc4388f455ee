import { federation } from '@seneschal/contracts';
import { federationReads, loadSigner, signRequest } from '@seneschal/federation';
import { type Peer, peerSettings, startPeer } from '@seneschal/testing';
import { sql } from 'kysely';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/federation/blocks';
const of = (name: string): string => `${path}/${encodeURIComponent(name)}`;

let stage: Stage, peer: Peer;
beforeAll(async () => {
  [stage, peer] = await Promise.all([Stage.open({ settings: peerSettings }), startPeer()]);
});
afterAll(() => Promise.all([stage.stop(), peer.stop()]));
afterEach(() => sql`DELETE FROM federation_blocked_servers`.execute(stage.world.sql));

const blocks = async (): Promise<unknown> => (await stage.ask('GET', path))[1]['blocks'];

/** A signed request of the peer, as another server sends it. */
function asPeer(origin = peer.serverName): Promise<[number, unknown]> {
  const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(stage.user.userId)}`;
  const request = { method: 'GET', uri, origin, destination: stage.world.serverName };
  const headers = { authorization: signRequest(request, peer.signer) };
  return stage.world.request('GET', uri, { headers }).then(errorOf);
}

/** Whether the server is asked for anything: a device list of one of its users. */
async function isAsked(): Promise<boolean> {
  const userId = `@bob:${peer.serverName}`;
  const uri = `/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`;
  peer.answer(uri, () => ({ body: { user_id: userId, stream_id: 1, devices: [] } }));
  const before = peer.requests.length;
  await stage.ask('POST', `/_dendrite/admin/refreshDevices/${encodeURIComponent(userId)}`);
  return peer.requests.length > before;
}

describe('the block list', () => {
  itRefusesOthers(
    () => stage,
    'PUT',
    () => [of('evil.example'), of('not a name')],
  );
  itRefusesOthers(
    () => stage,
    'DELETE',
    () => [of('none.example')],
  );
  itRefusesOthers(
    () => stage,
    'GET',
    () => [path],
  );

  it('is added to, listed page by page, and taken from', async () => {
    const [status, first] = await stage.ask('PUT', of('B.example'), { note: 'spam' });
    expect([status, first]).toEqual([
      200,
      {
        server_name: 'b.example',
        note: 'spam',
        blocked_by: stage.admin.userId,
        blocked_ts: expect.any(Number) as number,
      },
    ]);
    // Twice: when it was blocked first stays; the note is the new one.
    const [, again] = await stage.ask('PUT', of('b.example'));
    expect(again).toEqual({ ...first, note: null });
    await Promise.all(['a.example', 'c.example', 'a.example'].map((name) => stage.ask('PUT', of(name))));
    const [, page] = await stage.ask('GET', `${path}?limit=2`);
    const [, rest] = await stage.ask('GET', `${path}?limit=2&from=${String(page['next_token'])}`);
    const names = [page, rest].flatMap((one) => one['blocks'] as { server_name: string }[]);
    expect(names.map((one) => one.server_name)).toEqual(['a.example', 'b.example', 'c.example']);
    expect((await stage.ask('DELETE', of('B.example')))[0]).toBe(200);
    expect((await stage.ask('DELETE', of('b.example')))[1]['errcode']).toBe('M_NOT_FOUND');
    expect(await blocks()).toHaveLength(2);
  });

  it.each(['test.example', 'TEST.example', '*.example', '*.evil.example:8448', '*.', 'a b', 'x'.repeat(300)])(
    'refuses %s with M_INVALID_PARAM',
    async (name) => {
      const [status, body] = await stage.ask('PUT', of(name));
      expect([status, body['errcode']]).toEqual([400, 'M_INVALID_PARAM']);
      expect(await blocks()).toEqual([]);
    },
  );

  it('is in the audit log', async () => {
    await stage.ask('PUT', `${of('d.example')}?reason=abuse`);
    const [, log] = await stage.ask('GET', '/_seneschal/v1/audit?limit=5');
    const [entry] = (log['entries'] as Record<string, unknown>[]).filter((one) =>
      JSON.stringify(one).includes('d.example'),
    );
    expect(entry).toMatchObject({ actor: stage.admin.userId, status: 200, reason: 'abuse' });
  });
});

describe('a blocked server', () => {
  it('is not listened to from that moment on, and listened to again afterwards', async () => {
    expect((await asPeer())[0]).toBe(200);
    await stage.ask('PUT', of(peer.serverName));
    expect(await asPeer()).toEqual([403, 'M_FORBIDDEN']);
    await stage.ask('DELETE', of(peer.serverName));
    expect((await asPeer())[0]).toBe(200);
  });

  it('is not listened to in other processes either', async () => {
    const { platform } = stage.world.homeserver;
    const { database, config } = platform;
    const another = federationReads(database, config, await loadSigner(config), platform);
    const request = {
      method: 'GET',
      uri: '/x',
      origin: peer.serverName,
      destination: stage.world.serverName,
    };
    const authorization = signRequest(request, peer.signer);
    const asked = { authorization, method: 'GET', uri: '/x', content: undefined };
    expect(await another.authenticate(asked)).toBe(peer.serverName);
    await stage.ask('PUT', of(peer.serverName));
    await expect(another.authenticate(asked)).rejects.toMatchObject({ status: 403 });
    await another.stop();
  });

  it('is not asked for anything, not even for its keys', async () => {
    expect(await isAsked()).toBe(true);
    await stage.ask('PUT', of(peer.serverName));
    expect(await isAsked()).toBe(false);
    await stage.ask('PUT', of('*.unknown.example'));
    const started = performance.now();
    expect(await asPeer('a.b.unknown.example')).toEqual([403, 'M_FORBIDDEN']);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it.each([
    [
      'evil.example',
      ['evil.example', 'EVIL.example', 'evil.example:8449'],
      ['good.evil.example', 'vil.example'],
    ],
    ['evil.example:8448', ['evil.example:8448'], ['evil.example', 'evil.example:84']],
    ['*.evil.example', ['a.evil.example', 'a.b.evil.example:1'], ['evil.example', 'notevil.example']],
    ['[::1]', ['[::1]', '[::1]:8448'], ['[::2]']],
  ])('%s means %j, and not %j', async (entry, blocked, others) => {
    await stage.ask('PUT', of(entry));
    const found = await sql<{ name: string }>`
      SELECT name FROM unnest(${[...blocked, ...others]}::text[]) AS name WHERE EXISTS (
        SELECT FROM federation_blocked_servers WHERE server_name = ANY(federation_block_names(name))
      )
    `.execute(stage.world.sql);
    expect(found.rows.map((row) => row.name).sort()).toEqual([...blocked].sort());
  });

  it('has nothing queued, and nothing is queued for it', async () => {
    const roomId = await stage.room(stage.user);
    await sql`
      INSERT INTO roomserver_room_servers SELECT room_nid, s, 1 FROM roomserver_rooms, unnest(ARRAY['e.example', 'f.example']) s
      WHERE room_id = ${roomId}
    `.execute(stage.world.sql);
    const queued = async (): Promise<string[]> => {
      const found = await sql<{ server_name: string }>`
        SELECT DISTINCT server_name FROM federation_queue JOIN federation_outgoing USING (position) ORDER BY 1
      `.execute(stage.world.sql);
      return found.rows.map((row) => row.server_name);
    };
    // Neither is sent to while the test looks.
    await sql`
      INSERT INTO federation_destinations (server_name, failures, next_try_ts)
      SELECT unnest(ARRAY['e.example', 'f.example']), 1, 9000000000000
    `.execute(stage.world.sql);
    await stage.change(roomId, 'invite', stage.user, stage.admin);
    await stage.world.settled();
    expect(await queued()).toEqual(['e.example', 'f.example']);
    await stage.ask('PUT', of('e.example'));
    await stage.change(roomId, 'join', stage.admin);
    await stage.world.settled();
    expect(await queued()).toEqual(['f.example']);
    await stage.ask('PUT', of('f.example'));
    const left = await sql`SELECT FROM federation_outgoing`.execute(stage.world.sql);
    expect([await queued(), left.rows.length]).toEqual([[], 0]);
  });

  it('leaves nothing behind that is sent after a crash in the middle of the block', async () => {
    await sql`INSERT INTO federation_destinations (server_name) VALUES ('g.example')`.execute(
      stage.world.sql,
    );
    await sql`INSERT INTO federation_blocked_servers VALUES ('g.example', NULL, '@x:y', 1)`.execute(
      stage.world.sql,
    );
    await sql`INSERT INTO federation_outgoing VALUES (77, '!r:x', '{}')`.execute(stage.world.sql);
    await sql`INSERT INTO federation_queue VALUES ('g.example', 77)`.execute(stage.world.sql);
    await stage.ask('POST', '/_seneschal/v1/federation/destinations/g.example/reset');
    const [, held] = await stage.ask('GET', '/_seneschal/v1/federation/destinations/g.example');
    expect(held).toMatchObject({ state: 'blocked', queue_length: 1, last_failure_ts: null });
    await stage.world.homeserver.platform.bus.call(federation.blockServer, {
      serverName: 'g.example',
      note: null,
      blockedBy: stage.admin.userId,
    });
    const [, done] = await stage.ask('GET', '/_seneschal/v1/federation/destinations/g.example');
    expect(done).toMatchObject({ queue_length: 0 });
  });

  it('is tried at once when it is no longer blocked', async () => {
    await sql`
      INSERT INTO federation_destinations (server_name, failures, next_try_ts)
      SELECT unnest(ARRAY['h.example', 'i.example']), 4, 9000000000000
    `.execute(stage.world.sql);
    await stage.ask('PUT', of('h.example'));
    await stage.ask('DELETE', of('h.example'));
    await stage.ask('DELETE', of('i.example'));
    const stateOf = async (name: string): Promise<unknown> =>
      (await stage.ask('GET', `/_seneschal/v1/federation/destinations/${name}`))[1]['state'];
    expect([await stateOf('h.example'), await stateOf('i.example')]).toEqual(['idle', 'backing_off']);
  });
});
