import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { Stage } from '../../admin-gateway/test/stage.ts';
import { cli, type Ran, type RunOptions, startCli, temporaryFolder } from './running.ts';

describe('the command line', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open({
      settings: { SENESCHAL_REGISTRATION_REQUIRES_TOKEN: 'on', SENESCHAL_SERVER_NOTICES: 'on' },
    });
  });
  afterAll(() => stage.stop());

  const environment = (): Record<string, string> => ({
    SENESCHAL_CLI_SERVER: stage.world.url,
    SENESCHAL_CLI_TOKEN: stage.admin.token,
  });
  const asAdmin = (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
    cli(args, { ...options, env: environment() });

  it('prints tables for people and the answer as it is with --json', async () => {
    await asAdmin(['tokens', 'create', '--token', 'weekend', '--uses-allowed', '3', '--reason', 'A party']);
    const shown = await asAdmin(['tokens', 'list']);
    expect(shown.out.split('\n')[0]).toMatch(/^TOKEN +USES_ALLOWED +PENDING +COMPLETED +EXPIRY_TIME$/);
    expect(shown.out).toMatch(/^weekend +3 +0 +0 +-$/m);
    const { body } = await stage.admin.request('GET', '/_synapse/admin/v1/registration_tokens');
    expect(JSON.parse((await asAdmin(['tokens', 'list', '--json'])).out)).toEqual(body);
    const audit = await asAdmin([
      'audit',
      'list',
      '--action',
      'POST /_synapse/admin/v1/registration_tokens/new',
      '--json',
    ]);
    expect(audit.out).toContain('"reason": "A party"');
  });

  it('says what a call is about whose names would command the terminal, and lines up what is wide', async () => {
    const evil = await stage.world.register('evil', { displayname: '\u001b[2J名前' });
    const { body } = await evil.request('POST', '/_matrix/client/v3/createRoom', {
      body: { name: '\u001b]0;owned\u0007 部屋 one' },
    });
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(String(body['room_id']))}/report`;
    await stage.user.request(
      'POST',
      '/_matrix/client/v3/join/' + encodeURIComponent(String(body['room_id'])),
      { body: {} },
    );
    await stage.user.request('POST', path, { body: { reason: 'Bad \u001b[31m' } });
    const { out, code } = await asAdmin(['reports', 'list', '--columns', 'id,name,reason']);
    expect(code).toBe(0);
    expect(out).not.toContain('\u001b');
    expect(out).toContain('\\u{1b}]0;owned\\u{7} 部屋 one');
  });

  it('evacuates rooms that standard input names, one that is wrong among them, and ends with 5', async () => {
    const rooms = [await stage.room(stage.user), await stage.room(stage.user)];
    const lines = [...rooms, '!nowhere:test.example'].join('\n');
    const ran = await asAdmin(['rooms', 'evacuate', '-', '--json', '--yes'], { stdin: `${lines}\n` });
    expect([ran.code, ran.err]).toEqual([5, expect.stringContaining('!nowhere:test.example: M_NOT_FOUND')]);
    expect(JSON.parse(ran.out)).toEqual([
      { target: rooms[0], answer: { affected: [stage.user.userId] } },
      { target: rooms[1], answer: { affected: [stage.user.userId] } },
      {
        target: '!nowhere:test.example',
        error: { errcode: 'M_NOT_FOUND', error: expect.any(String) as string },
      },
    ]);
    expect(await stage.user.joinedRooms()).not.toContain(rooms[0]);
  });

  it('rehearses where the server can, and shows the request where it cannot', async () => {
    const room = await stage.room(stage.user);
    const rehearsed = await asAdmin(['rooms', 'evacuate', room, '--dry-run', '--json']);
    expect(JSON.parse(rehearsed.out)).toMatchObject({ affected: [stage.user.userId] });
    expect(await stage.user.joinedRooms()).toContain(room);
    const matching = await asAdmin(['rooms', 'purge-matching', '--room-ids', room, '--dry-run']);
    expect(matching.out).toMatch(/dry_run +true/);
    const shown = await asAdmin(['users', 'set-admin', stage.user.userId, '--admin', '--dry-run']);
    expect(shown.out).toBe(
      'Would send PUT /_synapse/admin/v1/users/%40user%3Atest.example/admin {"admin":true}\n',
    );
    expect((await asAdmin(['users', 'admin', stage.user.userId])).out).toMatch(/^admin +false$/m);
    expect((await asAdmin(['rooms', 'purge', room, '--dry-run'])).out).toMatch(/events: +\d|counts:/);
  });

  describe('before it does something to more than a few', () => {
    const crowd = async (): Promise<string> =>
      stage.room(
        stage.user,
        await Promise.all(
          [1, 2, 3, 4].map((one) => stage.world.register(`c${one}${Math.floor(performance.now() * 1000)}`)),
        ),
      );

    it('refuses where nobody can be asked, and does it with --yes', async () => {
      const room = await crowd();
      const refused = await asAdmin(['rooms', 'evacuate', room]);
      expect([refused.code, refused.err]).toEqual([
        2,
        expect.stringContaining('rooms evacuate is about 5 users. Say --yes'),
      ]);
      expect(await stage.user.joinedRooms()).toContain(room);
      expect((await asAdmin(['rooms', 'evacuate', room, '--yes'])).code).toBe(0);
      expect(await stage.user.joinedRooms()).not.toContain(room);
    });

    it('asks at a terminal, and does nothing unless the answer is yes', async () => {
      const room = await crowd();
      const no = await asAdmin(['rooms', 'evacuate', room], { typed: '\n' });
      expect([no.code, no.err]).toEqual([
        2,
        expect.stringContaining('5 users. Go on? [y/N] Nothing was done.'),
      ]);
      expect(await stage.user.joinedRooms()).toContain(room);
      const yes = await asAdmin(['rooms', 'evacuate', room], { typed: 'y\n' });
      expect(yes.code).toBe(0);
      expect(await stage.user.joinedRooms()).not.toContain(room);
    });

    it('counts targets where there is no rehearsal', async () => {
      const { code, err } = await asAdmin(['tokens', 'delete', 'a', 'b', 'c', 'd']);
      expect([code, err]).toEqual([2, expect.stringContaining('about 4 targets')]);
    });
  });

  it('asks for a password, and never shows it', async () => {
    const typed = await asAdmin(['users', 'reset-password', stage.user.userId], {
      typed: 'a new passworx\u007fd\r',
    });
    expect([typed.code, typed.err]).toEqual([0, expect.stringMatching(/^Password: \n/)]);
    const rehearsed = await asAdmin(
      ['users', 'reset-password', stage.user.userId, '--password-file', '-', '--dry-run'],
      {
        stdin: 'short\n',
      },
    );
    expect([rehearsed.code, rehearsed.err]).toEqual([1, expect.stringMatching(/^M_\w+ \(400\)/)]);
    const login = await stage.world.request('POST', '/_matrix/client/v3/login', {
      body: {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: 'user' },
        password: 'a new password',
      },
    });
    expect(login.status).toBe(200);
  });

  it('makes accounts with the shared secret', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'password'), 'a long password\n');
    const { code, out } = await cli(
      ['users', 'register', 'queequeg', '--admin', '--password-file', join(folder, 'password'), '--json'],
      {
        env: { SENESCHAL_CLI_SERVER: stage.world.url, SENESCHAL_CLI_SHARED_SECRET: stage.world.sharedSecret },
      },
    );
    expect([code, JSON.parse(out)]).toEqual([
      0,
      expect.objectContaining({ user_id: '@queequeg:test.example' }),
    ]);
    const wrong = await cli(['users', 'register', 'ishmael', '--password-file', join(folder, 'password')], {
      env: { SENESCHAL_CLI_SERVER: stage.world.url, SENESCHAL_CLI_SHARED_SECRET: 'another secret' },
    });
    expect([wrong.code, wrong.err]).toEqual([
      1,
      expect.stringContaining('M_FORBIDDEN (403): The MAC is wrong'),
    ]);
  });

  it('goes through all pages with --all, and says that there are more without', async () => {
    const some = await asAdmin(['audit', 'list', '--limit', '2', '--json']);
    expect((JSON.parse(some.out) as { entries: unknown[] }).entries).toHaveLength(2);
    const shown = await asAdmin(['audit', 'list', '--limit', '2']);
    expect(shown.err).toMatch(/There is more: --from \d+ for the next page/);
    const all = JSON.parse((await asAdmin(['audit', 'list', '--limit', '2', '--all', '--json'])).out) as {
      entries: { position: number }[];
    };
    const positions = all.entries.map(({ position }) => position);
    expect(positions.length).toBeGreaterThan(5);
    expect(positions).toEqual([...new Set(positions)].sort((one, other) => other - one));
    expect((await asAdmin(['audit', 'export'])).out.trim().split('\n').length).toBeGreaterThanOrEqual(
      positions.length,
    );
  });

  it('shows what is no list: sessions, health and figures', async () => {
    const { out } = await asAdmin(['users', 'sessions', stage.admin.userId]);
    expect(out).toMatch(/user_id +@admin:test\.example/);
    expect(out).toContain(stage.admin.deviceId);
    expect((await asAdmin(['server', 'health'])).out).toMatch(/status +ok/);
    expect((await asAdmin(['server', 'metrics'])).out).toContain('seneschal_jobs');
    expect((await asAdmin(['call', 'GET', '/_seneschal/v1/jobs?limit=1'])).out).toContain('"jobs": [');
  });

  it('says who may not, what is not there and what cannot be reached, and what to do', async () => {
    const asUser = { env: { SENESCHAL_CLI_SERVER: stage.world.url, SENESCHAL_CLI_TOKEN: stage.user.token } };
    const forbidden = await cli(['jobs', 'list'], asUser);
    expect([forbidden.code, forbidden.err]).toEqual([
      1,
      expect.stringMatching(/^M_(FORBIDDEN|UNKNOWN_TOKEN) \(40[13]\): .*\n.+/),
    ]);
    const anonymous = await cli(['jobs', 'list'], { env: { SENESCHAL_CLI_SERVER: stage.world.url } });
    expect([anonymous.code, anonymous.err]).toEqual([
      1,
      expect.stringMatching(/^M_MISSING_TOKEN \(401\): .*\nLog in with `seneschal login`/),
    ]);
    const missing = await asAdmin(['jobs', 'show', 'none']);
    expect([missing.code, missing.err]).toEqual([
      1,
      expect.stringContaining('M_NOT_FOUND (404): There is no such job.'),
    ]);
    const away = await cli(['jobs', 'list', '--server', 'http://127.0.0.1:9']);
    expect([away.code, away.err]).toEqual([
      3,
      expect.stringContaining('http://127.0.0.1:9 cannot be reached: '),
    ]);
  });

  it('is a program that npm and npx find, with answers on standard output and nothing else', async () => {
    const { code, out, err } = await startCli(
      ['server', 'health', '--json'],
      environment(),
      'node_modules/.bin/seneschal',
    ).ended;
    expect([code, JSON.parse(out), err]).toEqual([0, { status: 'ok', warnings: [] }, '']);
  });
});

describe('a server that asks to wait', () => {
  /** Answers so many times that it is asked too often. */
  const busy = async (times: number, retryAfterMs: number): Promise<{ server: Server; url: string }> => {
    let left = times;
    const server = createServer((_request, response) => {
      left -= 1;
      const error = {
        errcode: 'M_LIMIT_EXCEEDED',
        error: 'Too many requests.',
        retry_after_ms: retryAfterMs,
      };
      response
        .writeHead(left >= 0 ? 429 : 200)
        .end(JSON.stringify(left >= 0 ? error : { status: 'ok', warnings: [] }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };

  it('is asked again after that time', async () => {
    const { server, url } = await busy(2, 10);
    const { code, out } = await cli(['server', 'health', '--server', url]);
    expect([code, out]).toEqual([0, expect.stringMatching(/status +ok/)]);
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ['too often', 100, 1],
    ['for too long', 1, 3_600_000],
  ])('is left alone when it asks %s', async (_name, times, retryAfterMs) => {
    const { server, url } = await busy(times, retryAfterMs);
    const { code, err } = await cli(['server', 'health', '--server', url]);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('M_LIMIT_EXCEEDED (429): Too many requests.\nWait a little'),
    ]);
    server.closeAllConnections();
    server.close();
  });
});
