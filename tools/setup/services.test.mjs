import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { dataFolderMode, readJson } from './files.mjs';
import { silent } from './log.mjs';
import { killPostgres, startPostgres } from './postgres.mjs';
import { findRedis } from './redis-binary.mjs';
import { killRedis } from './redis.mjs';
import { servicesFile, startServices } from './services.mjs';

async function withDataFolder(work, name = 'data') {
  const parent = mkdtempSync(join(tmpdir(), 'services-'));
  chmodSync(parent, dataFolderMode);
  const dataDir = join(parent, name);
  mkdirSync(dataDir, { mode: dataFolderMode });
  try {
    return await work(dataDir);
  } finally {
    await killRedis(dataDir);
    rmSync(await killPostgres(dataDir), { recursive: true, force: true });
    rmSync(parent, { recursive: true, force: true });
  }
}

async function query(url, text) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const start = (dataDir) => startPostgres({ dataDir, log: silent, durable: false });

describe('the services', () => {
  it('start once on a folder, and leave it as it was', () =>
    withDataFolder(async (dataDir) => {
      const packageFolder = join('.cache', 'redis-package');
      const options = { dataDir, log: silent, durable: false, packageFolder };
      // The tests themselves got a Redis, so this one finds it without fetching anything.
      expect(await findRedis(packageFolder)).toBeDefined();
      const services = await startServices(options);
      await expect(startServices(options)).rejects.toThrow(/is in use by process \d+: stop that one first/);
      expect(readJson(servicesFile(dataDir)).databaseUrl).toBe(services.databaseUrl);
      expect(statSync(servicesFile(dataDir)).mode & 0o777).toBe(0o600);
      expect(services.died()).toBeUndefined();
      await services.stop();
      expect(services.died()).toBe('PostgreSQL');
      expect(readJson(servicesFile(dataDir))).toBeUndefined();
    }));
});

describe('PostgreSQL', () => {
  it('starts past a postmaster.pid whose number another process has', () =>
    withDataFolder(async (dataDir) => {
      const first = await start(dataDir);
      const file = join(realpathSync(join(dataDir, 'postgres')), 'cluster', 'postmaster.pid');
      const noted = readFileSync(file, 'utf8');
      await first.stop();
      writeFileSync(file, noted.replace(/^\d+/, String(process.pid)));
      const second = await start(dataDir);
      expect(second.adopted).toBe(false);
      expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await second.stop();
    }));

  it('is taken over where an earlier start left it running', () =>
    withDataFolder(async (dataDir) => {
      const first = await start(dataDir);
      const lock = join(realpathSync(join(dataDir, 'postgres')), 'lock');
      writeFileSync(lock, JSON.stringify({ pid: 1, started: '0', boot: 'before' }));
      const second = await start(dataDir);
      expect(second).toMatchObject({ adopted: true, identity: first.identity, url: first.url });
      await second.stop();
    }));

  it('listens on 127.0.0.1 where the path of a socket would be too long', () =>
    withDataFolder(async (dataDir) => {
      const { url, stop } = await start(dataDir);
      expect(new URL(url).hostname).toBe('127.0.0.1');
      const [row] = await query(url, 'SHOW unix_socket_directories');
      expect(row).toEqual({ unix_socket_directories: '' });
      await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password/);
      await stop();
    }, 'x'.repeat(100)));
});
