import type { OpenApiDocument } from '@seneschal/http';
import { startWorld, type World } from '@seneschal/testing';

import { callsOf, operationsOf } from '../src/operations.ts';
import { harmlessCalls, nameOf } from '../src/names.ts';
import { examplesOf } from '../src/examples.ts';
import { api, cli } from './running.ts';

/** As a shell takes a line apart, as far as the examples go. */
function wordsOf(line: string): string[] {
  const [command = ''] = line.split(/ < /);
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);
}

const operations = operationsOf(api);

describe('the subcommands', () => {
  let world: World;
  let served: OpenApiDocument;
  beforeAll(async () => {
    world = await startWorld({
      settings: { SENESCHAL_SERVER_NOTICES: 'on', SENESCHAL_REGISTRATION_REQUIRES_TOKEN: 'on' },
    });
    served = (await world.request('GET', '/_seneschal/v1/openapi.json')).body as unknown as OpenApiDocument;
  });
  afterAll(() => world.stop());

  it('are there, with help, for every call for administrators that a running server has', async () => {
    const names = [...new Set(callsOf(served).map(({ method, path }) => nameOf(method, path)))];
    expect(names.length).toBeGreaterThan(40);
    for (const name of names) {
      const { code, out } = await cli([...name.split(' '), '--help']);
      expect([name, code, out.includes(`Usage: seneschal ${name}`), out.includes('Examples:')]).toEqual([
        name,
        0,
        true,
        true,
      ]);
    }
  });

  it('are of the same calls that the server describes', () => {
    const callsIn = (document: OpenApiDocument): string[] =>
      callsOf(document).map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
    expect(callsIn(api).sort()).toEqual(callsIn(served).sort());
  });

  it('ask before they destroy something for many, and not before anything else', () => {
    const asking = operations
      .filter(({ isDestructive }) => isDestructive)
      .map(({ noun, verb }) => `${noun} ${verb}`);
    expect(asking).toEqual(
      expect.arrayContaining([
        'notices send',
        'rooms evacuate',
        'rooms purge',
        'rooms purge-matching',
        'tokens delete',
        'users evacuate',
        'users reset-password',
      ]),
    );
    expect(asking).not.toContain('search reindex');
    expect(harmlessCalls.size).toBe(
      operations.filter(({ noun, verb }) => harmlessCalls.has(`${noun} ${verb}`)).length,
    );
  });

  it('have names of two words each, no two the same', () => {
    const names = operations.map(({ noun, verb }) => `${noun} ${verb}`);
    expect(names.filter((name) => !/^[a-z]+(-[a-z]+)* [a-z]+(-[a-z]+)*$/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a call that no name is written down for', () => {
  it.each([
    ['get', '/_seneschal/v1/hooks', 'hooks list'],
    ['post', '/_seneschal/v1/hooks', 'hooks create'],
    ['get', '/_seneschal/v1/hooks/{id}', 'hooks show'],
    ['put', '/_seneschal/v1/hooks/{id}', 'hooks update'],
    ['delete', '/_seneschal/v1/hooks/{id}', 'hooks delete'],
    ['post', '/_seneschal/v1/hooks/{id}/test', 'hooks test'],
    ['get', '/_seneschal/v1/self-check', 'server self-check'],
    ['post', '/_dendrite/admin/quarantineMedia/{mediaId}', 'medias quarantine'],
    ['get', '/_synapse/admin/v2/users/{userId}/joined_rooms', 'users joined-rooms'],
    ['put', '/_synapse/admin/v2/users/{userId}/shadow_ban', 'users update-shadow-ban'],
  ])('%s %s is %s', (method, path, name) => {
    expect(nameOf(method, path)).toBe(name);
  });
});

describe('the examples in the help', () => {
  const lines = operations.filter(({ verb }) => verb !== 'register').flatMap(examplesOf);

  it('can all be read: what they end with is never wrong usage', async () => {
    expect(lines.length).toBeGreaterThan(80);
    for (const line of lines) {
      const args = ['--server', 'http://127.0.0.1:9', ...wordsOf(line)];
      const input = line.includes('<') ? { stdin: '@alice:example.org\n' } : { typed: 'a password\r' };
      const isTyped = line.includes('reset-password -');
      const secret = isTyped ? ['--password-file', '/dev/null'] : [];
      const { code, err } = await cli([...args, ...secret], input);
      expect([line, code === 0 || code === 3 ? '' : err]).toEqual([line, '']);
    }
  });
});

describe('wrong usage', () => {
  it.each([
    [['rooms'], /Usage: seneschal rooms/],
    [['rooms', 'purge'], /missing required argument 'room-id'/],
    [['rooms', 'pruge', 'x'], /unknown command 'pruge'\n\(Did you mean purge\?\)/],
    [['rooms', 'purge', 'x', '--bolck'], /unknown option '--bolck'\n\(Did you mean --block\?\)/],
    [['rooms', 'purge-matching'], /One of --empty-for-days, .*--room-ids is needed/],
    [['rooms', 'purge-matching', '--empty-for-days', 'soon'], /--empty-for-days: soon is not a number/],
    [['jobs', 'list', '--state', 'lost'], /Allowed choices are queued, running/],
    [['admin-tokens', 'create', '--name', 'x', '--scopes', 'read,all'], /--scopes: is one of read, users/],
    [['notices', 'send', '--content', '{'], /--content: is not JSON/],
    [['reports', 'update', '7', '--body', '[]'], /--body: is no JSON object/],
    [['rooms', 'purge', '-'], /Standard input names no target/],
    [['users', 'reset-password', '@a:b'], /There is no terminal to ask for the password/],
    [['jobs', 'list', '--server', 'ftp://x'], /is not an address such as/],
    [['jobs', 'list', '--token-file', '/nowhere'], /\/nowhere cannot be read \(ENOENT\)/],
    [['jobs', 'list', '--timeout', 'long'], /It is a number of seconds/],
    [['call', 'FETCH', '/x'], /FETCH is not GET, POST, PUT or DELETE/],
  ])('%j is answered with 2 and in words', async (args, words) => {
    const { code, out, err } = await cli(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(words);
  });
});
