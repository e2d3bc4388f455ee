import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { startWorld, type TestClient, type World } from '@seneschal/testing';

import { root, temporaryFolder } from './running.ts';

const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block ?? '');

describe('docs/command-line.md', () => {
  let world: World;
  let admin: TestClient;
  let room: string;
  const folder = temporaryFolder();
  beforeAll(async () => {
    world = await startWorld({
      settings: { SENESCHAL_SERVER_NAME: 'example.org', SENESCHAL_SERVER_NOTICES: 'on' },
    });
    admin = await world.register('root', { admin: true, password: 'correct horse battery' });
    const alice = await world.register('alice');
    room = await alice.createRoom({ preset: 'public_chat' });
    mkdirSync(join(folder, 'bin'));
    symlinkSync(join(root, 'node_modules/.bin/seneschal'), join(folder, 'bin/seneschal'));
  });
  afterAll(() => world.stop());

  it('has examples', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(6);
  });

  // They build upon each other: the room is there before it is purged.
  it.each(blocks.slice(1).map((block) => [block]))('is true of\n%s', async (block) => {
    const isLogin = block.includes('seneschal login');
    const env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
      ROOM: room,
      ...(isLogin ? {} : { SENESCHAL_CLI_SERVER: world.url, SENESCHAL_CLI_TOKEN: admin.token }),
    };
    const script = block.replaceAll('http://127.0.0.1:8008', world.url);
    const ran = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { env, cwd: folder });
    ran.child.stdin?.end();
    expect((await ran).stderr).not.toMatch(/M_|Error/);
  });
});
