import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { countOf } from './checks.mjs';
import { isInstalled, stampOf } from './dependencies.mjs';
import { describeError } from './errors.mjs';
import { inFolder } from './in-folder.mjs';
import { isAtLeast } from './node-version.mjs';
import { makeLinks } from './postgres-binaries.mjs';
import { databaseUrl, parsePostmasterPid, serverArguments, socketFolder } from './postgres-settings.mjs';
import { parseRedisVersion } from './redis-binary.mjs';
import { parsePlan } from './redis-package.mjs';
import { parseReplies } from './redis-protocol.mjs';
import { configuration } from './redis.mjs';

describe('versions', () => {
  it.each([
    ['20.19.0', '20.19', true],
    ['v22.1.0', '20.19', true],
    ['20.9.0', '20.19', false],
    ['6.2', '6.2', true],
    ['6.0.16', '6.2', false],
  ])('%s is at least %s: %p', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });

  it.each([
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1', '7.0.15'],
    ['Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64', '8.1.1'],
    ['something else v=1.2', undefined],
  ])('reads %p', (text, version) => {
    expect(parseRedisVersion(text)).toBe(version);
  });
});

describe('npm packages', () => {
  const lock = {
    packages: {
      '': {},
      'libs/a': {},
      'node_modules/@seneschal/a': { link: true },
      'node_modules/x': { version: '1.0.0' },
      'node_modules/y': { version: '1.0.0', optional: true, os: ['aix'] },
    },
  };

  it('are current when npm noted the same versions', () => {
    const packages = { 'node_modules/@seneschal/a': { link: true }, 'node_modules/x': { version: '1.0.0' } };
    expect(isInstalled(lock, { packages })).toBe(true);
  });

  it.each([
    ['missing', undefined],
    ['older', { version: '0.9.0' }],
  ])('are stale when one is %s', (_, x) => {
    const packages = { 'node_modules/@seneschal/a': { link: true }, ...(x && { 'node_modules/x': x }) };
    expect(isInstalled(lock, { packages })).toBe(false);
  });

  it('are stale when one for this machine is missing', () => {
    const here = { version: '1.0.0', optional: true, os: [process.platform] };
    expect(isInstalled({ packages: { 'node_modules/z': here } }, { packages: {} })).toBe(false);
  });

  it('have a stamp of the lock and the machine', () => {
    expect(stampOf('a', 'linux-x64')).not.toBe(stampOf('a', 'linux-arm64'));
    expect(stampOf('a')).not.toBe(stampOf('b'));
  });

  it('get the links that npm does not pack', () =>
    inFolder((folder) => {
      mkdirSync(join(folder, 'native', 'lib'), { recursive: true });
      const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
      writeFileSync(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links));
      makeLinks(folder);
      makeLinks(folder);
      expect(readlinkSync(join(folder, 'native/lib/libpq.so.5'))).toBe('libpq.so.5.18');
    }));
});

describe('PostgreSQL', () => {
  it('gets a socket where the path is short enough, counted in bytes', () => {
    expect(socketFolder('/short')).toBe('/short/run');
    expect(socketFolder(`/${'x'.repeat(88)}`)).toBeDefined();
    expect(socketFolder(`/${'x'.repeat(89)}`)).toBeUndefined();
    expect(socketFolder(`/${'é'.repeat(45)}`)).toBeUndefined();
  });

  it('listens on 127.0.0.1 or on a socket, never on both or elsewhere', () => {
    const onPort = serverArguments({ cluster: '/c', port: 5555, durable: true });
    expect(onPort).toContain('listen_addresses=127.0.0.1');
    expect(onPort).toContain('unix_socket_directories=');
    const onSocket = serverArguments({ cluster: '/c', sockets: '/c/run', port: 5432, durable: true });
    expect(onSocket).toContain('listen_addresses=');
    expect(onSocket).toContain('fsync=on');
  });

  it('has an address that is a URL', () => {
    const address = new URL(databaseUrl({ password: 'p', sockets: '/a b/run', port: 5432 }));
    address.pathname = '/other';
    expect(address.href).toBe('postgresql://seneschal:p@localhost/other?host=%2Fa%20b%2Frun');
  });

  it('notes its process, port and state', () => {
    const text = '123\n/data\n1790000000\n5432\n/run\n\n  1234   0\nready   \n';
    expect(parsePostmasterPid(text)).toEqual({ pid: 123, port: 5432, status: 'ready' });
    expect(parsePostmasterPid('')).toBeUndefined();
    expect(parsePostmasterPid(undefined)).toBeUndefined();
  });
});

describe('Redis', () => {
  it('reads replies of every kind, and waits for the rest of one', () => {
    const bytes = Buffer.from('+OK\r\n$5\r\na\r\nbc\r\n:7\r\n-ERR no\r\n');
    expect(parseReplies(bytes, 4)).toEqual(['OK', 'a\r\nbc', '7', '-ERR no']);
    expect(parseReplies(bytes.subarray(0, 10), 2)).toBeUndefined();
  });

  it('finds the packages in what apt-get would fetch', () => {
    const plan = [
      'Reading package lists...',
      "'http://deb.debian.org/x/liblzf1_3.6-3_amd64.deb' liblzf1_3.6-3_amd64.deb 10308 SHA256:00",
      "'http://deb.debian.org/x/redis-server_5%3a7.0.15_amd64.deb' redis-server_5%3a7.0.15_amd64.deb 72 MD5:0",
    ].join('\n');
    expect(parsePlan(plan)).toEqual(['liblzf1', 'redis-server']);
  });

  it('evicts nothing and listens on this machine alone', () => {
    const text = configuration({ folder: '/a "b"', port: 1, password: 'p', durable: true });
    expect(text).toMatch(/^maxmemory-policy noeviction$/m);
    expect(text).toMatch(/^bind 127\.0\.0\.1$/m);
    expect(text).toMatch(/^appendonly yes$/m);
    expect(text).toContain('dir "/a \\"b\\""');
  });
});

describe('errors', () => {
  it.each(['SetupError', 'ConfigError', 'StartError', 'RedisRefused'])(
    'of the kind %s say one sentence',
    (name) => {
      const error = Object.assign(new Error('Do this.'), { name });
      expect(describeError(error)).toBe('Do this.');
    },
  );

  it('of an unknown option say where to look', () => {
    const error = Object.assign(new TypeError("Unknown option '--x'."), {
      code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION',
    });
    expect(describeError(error)).toBe("Unknown option '--x'. --help says what there is.");
  });

  it('of ours come with their stack', () => {
    expect(describeError(new TypeError('broken'))).toMatch(/^TypeError: broken\n +at /);
  });
});

describe('the count of tests', () => {
  it.each([
    [undefined, 0, { passed: 0, failed: 1 }],
    [{ numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 1 }, 1, { passed: 3, failed: 2 }],
    [{ numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 0, { passed: 3, failed: 0 }],
    [{ numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0 }, 1, { passed: 3, failed: 1 }],
  ])('of %j with exit code %i', (report, code, expected) => {
    expect(countOf(report, code)).toEqual(expected);
  });
});
