import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { startWorld, type World } from '@seneschal/testing';

import { cli, type Ran, temporaryFolder } from './running.ts';

describe('login', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    await world.register('root', { admin: true, password: 'a long password' });
    await world.register('alice', { password: 'a long password' });
  });
  afterAll(() => world.stop());

  const logIn = (home: string, more: readonly string[] = [], user = 'root'): Promise<Ran> =>
    cli(['login', '--server', world.url, '--user', user, ...more], { typed: 'a long password\r', home });
  const fileIn = (home: string): string => join(home, '.config/seneschal/cli.json');
  const kept = (home: string): { token: string } =>
    JSON.parse(readFileSync(fileIn(home), 'utf8')) as { token: string };

  it('keeps server and token for this user alone, and later calls take them from there', async () => {
    const home = temporaryFolder();
    const { code, out, err } = await logIn(home);
    expect([code, err]).toEqual([0, 'Password: \n']);
    expect(out).toBe(`Logged in to ${world.url} as @root:test.example. Kept in ${fileIn(home)}.\n`);
    expect(statSync(fileIn(home)).mode & 0o777).toBe(0o600);
    expect((await cli(['jobs', 'list'], { home })).code).toBe(0);
    // The token is for its server, and shown to no other.
    const elsewhere = await cli(['jobs', 'list', '--server', world.url.replace('127.0.0.1', 'localhost')], {
      home,
    });
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringContaining('M_MISSING_TOKEN')]);
  });

  it('refuses a file that others may read', async () => {
    const home = temporaryFolder();
    await logIn(home);
    chmodSync(fileIn(home), 0o640);
    const { code, err } = await cli(['jobs', 'list'], { home });
    expect([code, err]).toEqual([2, expect.stringContaining(`chmod 600 ${fileIn(home)}`)]);
  });

  it('ends the session at logout', async () => {
    const home = temporaryFolder();
    await logIn(home);
    const { token } = kept(home);
    expect((await cli(['logout'], { home })).out).toBe(`Logged out of ${world.url}.\n`);
    expect(existsSync(fileIn(home))).toBe(false);
    expect((await world.request('GET', '/_seneschal/v1/jobs', { token })).status).toBe(401);
    expect((await cli(['logout'], { home })).code).toBe(2);
  });

  it('keeps an admin token instead, with its scopes, and revokes it at logout', async () => {
    const home = temporaryFolder();
    expect((await logIn(home, ['--admin-token', '--scopes', 'read', '--expires-days', '1'])).code).toBe(0);
    const { token } = kept(home);
    expect(token).toMatch(/^senadm_/);
    expect((await cli(['jobs', 'list'], { home })).code).toBe(0);
    const refused = await cli(['search', 'reindex'], { home });
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('M_FORBIDDEN (403)')]);
    // It has not the scope to revoke itself: what is left is said.
    const { code, err } = await cli(['logout'], { home });
    expect([code, err]).toEqual([1, expect.stringContaining('the token still works')]);
    expect(existsSync(fileIn(home))).toBe(false);
  });

  it('revokes an admin token that has the scope at logout', async () => {
    const home = temporaryFolder();
    await logIn(home, ['--admin-token']);
    const { token } = kept(home);
    expect((await cli(['logout'], { home })).code).toBe(0);
    expect((await world.request('GET', '/_seneschal/v1/jobs', { token })).status).toBe(401);
  });

  it('keeps a token that is given, once it has been tried', async () => {
    const home = temporaryFolder();
    const args = ['login', '--server', world.url, '--token-file', '-'];
    const bad = await cli(args, { home, stdin: 'no token of ours\n' });
    expect([bad.code, existsSync(fileIn(home))]).toEqual([2, false]);
    expect((await cli(args, { home, stdin: 'unknown\n' })).code).toBe(1);
    const { token } = await world.register('root2', { admin: true });
    expect((await cli(args, { home, stdin: `${token}\n` })).code).toBe(0);
    expect(kept(home)).toEqual({ server: world.url, token });
  });

  it('lets in administrators alone, leaves no session of others, and says what is wrong', async () => {
    const home = temporaryFolder();
    const other = await logIn(home, [], 'alice');
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('M_FORBIDDEN (403)')]);
    expect(existsSync(fileIn(home))).toBe(false);
    const wrong = await cli(['login', '--server', world.url, '--user', 'root', '--password-file', '-'], {
      home,
      stdin: 'wrong\n',
    });
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('M_FORBIDDEN (403)')]);
    const nobody = await cli(['login', '--server', world.url], { home });
    expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('Say who: --user NAME')]);
  });
});
