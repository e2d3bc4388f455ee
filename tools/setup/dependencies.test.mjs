import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { ensureDependencies } from './dependencies.mjs';
import { readText } from './files.mjs';
import { run, until } from './processes.mjs';

/** A checkout with one package to install, which npm has at hand: nothing is fetched. */
async function inCheckout(work) {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
  try {
    mkdirSync(join(folder, 'thing'));
    writeJson(join(folder, 'thing', 'package.json'), { name: 'thing', version: '1.0.0' });
    writeFileSync(join(folder, 'thing', 'index.js'), 'whole');
    await npm(join(folder, 'thing'), 'pack', '--pack-destination', folder);
    rmSync(join(folder, 'thing'), { recursive: true });
    const dependencies = { thing: 'file:thing-1.0.0.tgz' };
    writeJson(join(folder, 'package.json'), { name: 'checkout', private: true, dependencies });
    await npm(folder, 'install', '--package-lock-only', '--offline');
    return await work(folder, join(folder, 'node_modules', 'thing'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeJson(file, value) {
  writeFileSync(file, JSON.stringify(value));
}

async function npm(cwd, ...args) {
  const { code, stderr } = await run('npm', [...args, '--no-audit', '--no-fund'], { cwd });
  if (code !== 0) throw new Error(stderr);
}

/** A log that counts the installations. */
function counting() {
  const counted = { installed: 0, info: () => undefined };
  counted.step = (_name, work) => {
    counted.installed += 1;
    return work();
  };
  return counted;
}

describe('npm packages', () => {
  it('are installed once, and again when one is missing', () =>
    inCheckout(async (folder, thing) => {
      const log = counting();
      await Promise.all([ensureDependencies(log, folder), ensureDependencies(log, folder)]);
      await ensureDependencies(log, folder);
      expect([log.installed, readText(join(thing, 'index.js'))]).toEqual([1, 'whole']);
      rmSync(thing, { recursive: true });
      await ensureDependencies(log, folder);
      expect([log.installed, readText(join(thing, 'index.js'))]).toEqual([2, 'whole']);
    }));

  it('are installed again when an installation was killed, whatever it left', () =>
    inCheckout(async (folder, thing) => {
      const log = counting();
      await ensureDependencies(log, folder);
      writeFileSync(join(folder, 'package-lock.json'), `${readText(join(folder, 'package-lock.json'))}\n`);
      rmSync(join(folder, 'node_modules', '.seneschal-lock'));
      rmSync(join(folder, 'node_modules', '.package-lock.json'));
      await installAndKill(folder, join(thing, 'index.js'));
      // As if the killed one had been almost done: npm's note is there, and each package has something.
      await npm(folder, 'install', '--offline');
      writeFileSync(join(thing, 'index.js'), 'half');
      await ensureDependencies(log, folder);
      expect([log.installed, readText(join(thing, 'index.js'))]).toEqual([2, 'whole']);
      await ensureDependencies(log, folder);
      expect(log.installed).toBe(2);
    }));

  it('that somebody installed by hand are taken as they are', () =>
    inCheckout(async (folder) => {
      const log = counting();
      await npm(folder, 'ci', '--offline');
      await ensureDependencies(log, folder);
      expect(log.installed).toBe(0);
    }));
});

/** Begins an installation with an npm that spoils the packages and never ends, and kills it there. */
async function installAndKill(folder, spoiled) {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh\necho half > '${spoiled}'\nexec sleep 60\n`;
  writeFileSync(join(bin, 'npm'), script);
  chmodSync(join(bin, 'npm'), 0o755);
  const module = new URL('dependencies.mjs', import.meta.url).href;
  const code = `import { ensureDependencies } from '${module}';
    const log = { info: () => undefined, step: (_name, work) => work() };
    await ensureDependencies(log, ${JSON.stringify(folder)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '', PATH: `${bin}${delimiter}${process.env.PATH}` },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  expect(await until(() => readText(spoiled) === 'half\n', 20_000)).toBe(true);
  process.kill(-child.pid, 'SIGKILL');
  await ended;
  expect(existsSync(join(folder, '.cache', 'setup.lock'))).toBe(true);
}
