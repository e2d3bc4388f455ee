import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { inFolder } from './in-folder.mjs';
import { holderOf, takeLock, withLock } from './lock.mjs';
import { commandLine, endProcess, identify, isAlive, run } from './processes.mjs';

describe('processes', () => {
  it('knows a process from a later one with its number', () => {
    const self = identify(process.pid);
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, started: '1' })).toBe(false);
    expect(isAlive({ ...self, boot: 'another' })).toBe(false);
    expect(isAlive({ pid: process.pid })).toBe(false);
    expect(isAlive(undefined)).toBe(false);
  });

  it('takes harsher signals when the first is ignored', async () => {
    const script = 'process.on("SIGTERM", () => {}); process.stdout.write("."); setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const identity = identify(child.pid);
    expect(commandLine(child.pid)[1]).toBe('-e');
    expect(await endProcess(identity, [['SIGTERM', 20]])).toBe(false);
    expect(await endProcess(identity, [['SIGKILL', 5000]])).toBe(true);
  });

  it('has code -1 for a program that is not there', async () => {
    expect((await run('/nowhere/to/be/found', [])).code).toBe(-1);
  });
});

describe('the lock', () => {
  it('names its living holder, and is free after release', () =>
    inFolder((folder) => {
      const file = join(folder, 'lock');
      const lock = takeLock(file, 'The folder');
      expect(() => takeLock(file, 'The folder')).toThrow(
        `The folder is in use by process ${process.pid}: stop that one first`,
      );
      lock.release();
      expect(holderOf(file)).toBeUndefined();
      takeLock(file, 'The folder').release();
    }));

  it.each([
    ['of a process that ended', () => ({ pid: 2 ** 22 + 1, started: '1', boot: 'x' })],
    ['whose number another process has now', () => ({ ...identify(process.pid), started: '1' })],
    ['of before the boot', () => ({ ...identify(process.pid), boot: 'x' })],
  ])('takes the place of one %s', (_, holder) =>
    inFolder((folder) => {
      const file = join(folder, 'lock');
      writeFileSync(file, JSON.stringify(holder()));
      takeLock(file, 'The folder');
      expect(holderOf(file).pid).toBe(process.pid);
    }),
  );

  it('takes the place of a broken file', () =>
    inFolder((folder) => {
      writeFileSync(join(folder, 'lock'), '{"pid":');
      expect(() => takeLock(join(folder, 'lock'), 'The folder')).not.toThrow();
    }));

  it('lets one in after the other', () =>
    inFolder(async (folder) => {
      const order = [];
      const enter = (name) =>
        withLock(join(folder, 'lock'), 'It', async () => {
          order.push(name);
          await new Promise((resolve) => setImmediate(resolve));
          order.push(name);
        });
      await Promise.all([enter('a'), enter('b')]);
      expect(order).toEqual(['a', 'a', 'b', 'b']);
    }));
});
