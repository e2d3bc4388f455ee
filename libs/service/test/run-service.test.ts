import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Config } from '@seneschal/config';

import { type Host, runService, type ServiceDefinition, StartError } from '../src/index.ts';

const environment = { SENESCHAL_DATABASE_URL: 'postgresql://x@y/z', SENESCHAL_REDIS_URL: 'redis://y:1' };

/** A process to look at: what it wrote, how it ended, and its signals. */
class TestHost {
  readonly written: string[] = [];
  readonly exits: number[] = [];
  readonly #handlers = new Map<string, () => void>();
  readonly host: Host;

  constructor(args: readonly string[], env: Record<string, string> = environment) {
    const stream = { write: (text: string) => this.written.push(text) > 0 };
    this.host = {
      argv: ['node', 'thing.mjs', ...args],
      env,
      exit: (code: number) => void this.exits.push(code),
      on: (signal: string, handler: () => void) => void this.#handlers.set(signal, handler),
      stdout: stream,
      stderr: stream,
    } as unknown as Host;
  }

  signal(name: 'SIGINT' | 'SIGTERM'): void {
    this.#handlers.get(name)?.();
  }

  get handled(): string[] {
    return [...this.#handlers.keys()];
  }
}

const definition = (
  start: ServiceDefinition['start'] = async () => ({ stop: async () => undefined }),
): ServiceDefinition => ({ name: 'thing', summary: 'Does a thing.', start });

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('runService', () => {
  it('says what it is for, and starts nothing', async () => {
    const host = new TestHost(['--help']);
    const started: Config[] = [];
    await runService(
      host.host,
      definition(async (config) => {
        started.push(config);
        return { stop: async () => undefined };
      }),
    );
    expect(host.written.join()).toMatch(/^node thing\.mjs \[--config FILE\]\n\nDoes a thing\./);
    expect([started, host.exits]).toEqual([[], []]);
  });

  it.each([
    ['an unknown option', ['--port', '1'], environment, /--help says what there is/],
    ['a word where there are none', ['userapi'], environment, /--help says what there is/],
    [
      'a file that is not there',
      ['--config', '/nowhere.yaml'],
      environment,
      /\/nowhere\.yaml cannot be read/,
    ],
    ['a missing setting', [], {}, /database_url is not set/],
    ['an unknown variable', [], { ...environment, SENESCHAL_LISTN: 'x' }, /SENESCHAL_LISTN is not a setting/],
  ])('ends with 1 and one sentence at %s', async (_name, args, env, expected) => {
    const host = new TestHost(args, env);
    await runService(host.host, definition());
    expect(host.exits).toEqual([1]);
    expect(host.written.join()).toMatch(expected);
    expect(host.written.join()).not.toMatch(/^ +at /m);
  });

  it('ends with 1 and the sentence of a start that cannot succeed, and with a stack at a fault of ours', async () => {
    const refused = new TestHost([]);
    await runService(
      refused.host,
      definition(() => Promise.reject(new StartError('The port is taken.'))),
    );
    expect([refused.written, refused.exits]).toEqual([['The port is taken.\n'], [1]]);
    const broken = new TestHost([]);
    await runService(
      broken.host,
      definition(() => Promise.reject(new TypeError('broken'))),
    );
    expect(broken.written.join()).toMatch(/TypeError: broken\n +at /);
  });

  it('reads the named file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'seneschal-service-'));
    await writeFile(join(folder, 'some.yaml'), 'server_name: named.example\n');
    const names: string[] = [];
    await runService(
      new TestHost(['--config', join(folder, 'some.yaml')]).host,
      definition(async (config) => {
        names.push(config.server_name);
        return { stop: async () => undefined };
      }),
    );
    expect(names).toEqual(['named.example']);
    await rm(folder, { recursive: true });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stops at %s and ends with 0', async (signal) => {
    const host = new TestHost([]);
    let stops = 0;
    const stop = async (): Promise<void> => {
      stops += 1;
    };
    await runService(
      host.host,
      definition(async () => ({ stop })),
    );
    expect(host.handled).toEqual(['SIGINT', 'SIGTERM']);
    host.signal(signal);
    await tick();
    expect([stops, host.exits]).toEqual([1, [0]]);
  });

  it('does not wait for anything at the second signal', async () => {
    const host = new TestHost([]);
    let end = (): void => undefined;
    const stopped = new Promise<void>((resolve) => {
      end = resolve;
    });
    await runService(
      host.host,
      definition(async () => ({ stop: () => stopped })),
    );
    host.signal('SIGINT');
    await tick();
    expect(host.exits).toEqual([]);
    host.signal('SIGINT');
    expect(host.exits).toEqual([1]);
    end();
  });

  it('ends with 1 when something cannot be stopped', async () => {
    const host = new TestHost([]);
    await runService(
      host.host,
      definition(async () => ({ stop: () => Promise.reject(new Error('stuck')) })),
    );
    host.signal('SIGTERM');
    await tick();
    expect(host.exits).toEqual([1]);
    expect(host.written.join()).toContain('stuck');
  });
});
