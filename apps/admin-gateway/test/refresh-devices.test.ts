import { type Peer, peerSettings, startPeer } from '@seneschal/testing';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = (userId: string): string => `/_dendrite/admin/refreshDevices/${encodeURIComponent(userId)}`;
const many = '/_seneschal/v1/devices/refresh';

let stage: Stage, peer: Peer;
beforeAll(async () => {
  [stage, peer] = await Promise.all([Stage.open({ settings: peerSettings }), startPeer()]);
});
afterAll(() => Promise.all([stage.stop(), peer.stop()]));

/** A user of the peer with one device, which has no keys. */
function remoteUser(name: string): string {
  const userId = `@${name}:${peer.serverName}`;
  peer.answer(`/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`, () => ({
    body: { user_id: userId, stream_id: 1, devices: [{ device_id: 'PHONE' }] },
  }));
  return userId;
}

const jobOf = async (jobId: string | null): Promise<Record<string, unknown>> =>
  (await stage.ask('GET', `/_seneschal/v1/jobs/${String(jobId)}`))[1];

describe('refreshDevices', () => {
  itRefusesOthers(
    () => stage,
    'POST',
    () => [path('@bob:other.example'), path('abc'), many],
  );

  it('R2: answers once the devices are stored, and the job says what changed', async () => {
    const answer = await stage.admin.request('POST', path(remoteUser('bob')));
    expect([answer.status, answer.body]).toEqual([200, {}]);
    const job = await jobOf(answer.headers.get('seneschal-job-id'));
    expect(job).toMatchObject({
      state: 'completed',
      result: { before: 0, after: 1, added: ['PHONE'], removed: [], keysChanged: [], refused: [] },
    });
  });

  it('answers 502 with the reason when the server cannot be reached', async () => {
    const answer = await stage.admin.request('POST', path('@bob:127.0.0.1:1'));
    expect(errorOf(answer)).toEqual([502, 'M_UNKNOWN']);
    expect(answer.body['error']).toMatch(/127\.0\.0\.1:1 cannot be reached/);
  });

  it('answers 202 with the job when asked to', async () => {
    const headers = { Prefer: 'respond-async' };
    const answer = await stage.admin.request('POST', path(remoteUser('carol')), { headers });
    expect([answer.status, answer.body['kind']]).toEqual([202, 'refresh_devices']);
  });

  it.each(['@admin:test.example', '@nobody:test.example', 'abc', '@x', '!r:localhost'])(
    'answers 400 M_INVALID_PARAM for %s',
    async (userId) => {
      expect(errorOf(await stage.admin.request('POST', path(userId)))).toEqual([400, 'M_INVALID_PARAM']);
    },
  );
});

describe('refreshing many device lists', () => {
  it('R3: tells of each user; users of a server that does not answer stop no other', async () => {
    const dead = Array.from({ length: 50 }, (_, index) => `@dead${index}:127.0.0.1:1`);
    const good = [remoteUser('dave'), remoteUser('erin')];
    const [status, job] = await stage.ask('POST', many, { user_ids: [...dead, ...good] });
    expect([status, job['state'], job['done']]).toEqual([200, 'partial', 52]);
    const [, items] = await stage.ask('GET', `/_seneschal/v1/jobs/${String(job['job_id'])}/items?limit=100`);
    expect(JSON.stringify(items)).toContain('127.0.0.1:1 cannot be reached');
  });

  it('takes all users of a server of whom anything is held', async () => {
    await stage.ask('POST', path(remoteUser('frank')));
    const [status, job] = await stage.ask('POST', many, { server_name: peer.serverName });
    expect([status, job['state']]).toEqual([200, 'completed']);
    expect(job['done']).toBeGreaterThanOrEqual(1);
  });

  it.each([
    [{}],
    [{ user_ids: [] }],
    [{ user_ids: ['@a:b.example'], server_name: 'b.example' }],
    [{ server_name: '' }],
  ])('answers 400 for %j', async (body) => {
    expect((await stage.ask('POST', many, body))[0]).toBe(400);
  });

  it('refuses users of this server', async () => {
    const answer = await stage.ask('POST', many, { user_ids: ['@a:b.example', '@admin:test.example'] });
    expect([answer[0], answer[1]['errcode']]).toEqual([400, 'M_INVALID_PARAM']);
  });
});
