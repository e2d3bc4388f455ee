import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cli, root, temporaryFolder } from './running.ts';

const words = async (...begun: string[]): Promise<string[]> =>
  (await cli(['complete', '--', ...begun])).out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0] ?? '');

describe('completion', () => {
  it('knows nouns, verbs, options and choices', async () => {
    expect(await words('ro')).toEqual(['room-reports', 'rooms']);
    expect(await words('rooms', 'purge')).toEqual(['purge', 'purge-matching']);
    expect(await words('rooms', 'purge', '!room:example.org', '--d')).toEqual(['--dry-run']);
    expect(await words('rooms', 'purge', '--bl')).toEqual(['--block']);
    expect(await words('jobs', 'list', '--state', 'p')).toEqual(['pausing', 'paused', 'partial']);
    expect(await words('completion', '')).toEqual([]);
    expect(await words('nothing', 'like', 'this')).toEqual([]);
  });

  it.each(['bash', 'zsh', 'fish'])('has a script for %s', async (shell) => {
    const { code, out } = await cli(['completion', shell]);
    expect([code, out]).toEqual([0, expect.stringContaining('complete -- ')]);
  });

  it('completes in bash', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'completion.bash'), (await cli(['completion', 'bash'])).out);
    symlinkSync(join(root, 'node_modules/.bin/seneschal'), join(folder, 'bin/seneschal'));
    const script = `
      source ${folder}/completion.bash
      COMP_WORDS=(seneschal rooms evac); COMP_CWORD=2; _seneschal; echo "\${COMPREPLY[@]}"
      COMP_WORDS=(seneschal jobs list --state comp); COMP_CWORD=4; _seneschal; echo "\${COMPREPLY[@]}"
      complete -p seneschal`;
    const printed = execFileSync('bash', ['--norc', '-c', script], {
      encoding: 'utf8',
      env: { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: folder },
    });
    expect(printed.trim().split('\n')).toEqual([
      'evacuate',
      'completed',
      'complete -o default -F _seneschal seneschal',
    ]);
  });
});
