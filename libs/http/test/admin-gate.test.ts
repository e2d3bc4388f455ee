import { accountTypes } from '@seneschal/contracts';
import { z } from 'zod';

import { endpoint, type Endpoint, type HttpOptions } from '../src/index.ts';
import { type Answer, errorOf, type TestServer, withServer } from './server.ts';

const shape = { rateLimit: 'admin', answer: z.looseObject({}) } as const;

function endpoints(): Endpoint[] {
  return [
    endpoint({
      ...shape,
      method: 'GET',
      path: '/admin',
      access: 'admin',
      summary: 'For administrators',
      handle: async () => ({}),
    }),
    endpoint({
      ...shape,
      method: 'GET',
      path: '/secret',
      access: 'public',
      isAdminApi: true,
      summary: 'For who proves in another way to be one',
      handle: async () => ({}),
    }),
    endpoint({
      ...shape,
      method: 'GET',
      path: '/mine',
      access: 'user',
      summary: 'For everybody',
      handle: async ({ requester }) => ({ admin: requester.accountType === accountTypes.admin }),
    }),
  ];
}

const elsewhere = { networks: ['10.0.0.0/8', '2001:db8::/32'], origins: [] };
const here = { networks: ['127.0.0.0/8', '::1'], origins: [] };
const page = { networks: [], origins: ['https://admin.example.org'] };

function serving(
  given: Partial<HttpOptions>,
  use: (server: TestServer, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const requesterByToken = (hash: string): Promise<undefined> => {
    asked.push(hash);
    return Promise.resolve(undefined);
  };
  const userapi = { requesterByToken };
  return withServer(endpoints(), (server) => use(server, asked), { userapi, ...given });
}

const from = (address: string): RequestInit => ({ headers: { 'X-Forwarded-For': address } });
const by = (origin: string, token?: string): RequestInit & { token?: string } => ({
  headers: { Origin: origin },
  ...(token === undefined ? {} : { token }),
});

const refused = [403, 'M_FORBIDDEN'];
const unknown = [401, 'M_UNKNOWN_TOKEN'];

describe('addresses from which the admin API may be used', () => {
  it('are asked for before any token', () =>
    serving({ administrators: elsewhere }, async (server, asked) => {
      for (const init of [{}, { token: 'admin' }, { token: 'none' }, { token: 'senadm_none' }]) {
        expect(errorOf(await server.send('GET', '/admin', init))).toEqual(refused);
        expect(errorOf(await server.send('GET', '/secret', init))).toEqual(refused);
      }
      expect(asked).toEqual([]);
    }));

  it('are no way around the token', () =>
    serving({ administrators: here }, async (server) => {
      expect(errorOf(await server.send('GET', '/admin'))).toEqual([401, 'M_MISSING_TOKEN']);
      expect(errorOf(await server.send('GET', '/admin', { token: 'none' }))).toEqual(unknown);
      expect((await server.send('GET', '/secret')).status).toBe(200);
    }));

  it('come after route and method', () =>
    serving({ administrators: elsewhere }, async (server) => {
      expect(errorOf(await server.send('GET', '/none'))).toEqual([404, 'M_UNRECOGNIZED']);
      expect(errorOf(await server.send('PUT', '/admin'))).toEqual([405, 'M_UNRECOGNIZED']);
    }));

  it('are those that a trusted proxy tells, and nobody else', async () => {
    const behind = { administrators: elsewhere, trustedProxies: 'loopback' };
    await serving(behind, async (server) => {
      const ask = async (address: string): Promise<unknown> =>
        errorOf(await server.send('GET', '/admin', { ...from(address), token: 'none' }));
      for (const address of ['10.1.2.3', '2001:db8::5', '::ffff:10.1.2.3', '203.0.113.7, 10.1.2.3']) {
        expect(await ask(address)).toEqual(unknown);
      }
      for (const address of ['203.0.113.7', '10.1.2.3, 203.0.113.7', 'unknown', '10.1.2']) {
        expect(await ask(address)).toEqual(refused);
      }
    });
    await serving({ administrators: elsewhere }, async (server) => {
      expect(errorOf(await server.send('GET', '/admin', from('10.1.2.3')))).toEqual(refused);
    });
  });

  it('make an administrator elsewhere a user like others', async () => {
    const mine = async (administrators: HttpOptions['administrators']): Promise<Answer> => {
      let answer: Answer | undefined;
      const keep = async (server: TestServer): Promise<void> => {
        answer = await server.send('GET', '/mine', { token: 'admin' });
      };
      await withServer(endpoints(), keep, { administrators });
      return answer as Answer;
    };
    expect((await mine(elsewhere)).body).toEqual({ admin: false });
    expect((await mine(here)).body).toEqual({ admin: true });
  });
});

describe('origins from which the admin API may be used', () => {
  it('are asked for before any token', () =>
    serving({ administrators: page }, async (server, asked) => {
      for (const origin of ['https://evil.example', 'https://admin.example.org:8443', 'null']) {
        expect(errorOf(await server.send('GET', '/admin', by(origin, 'admin')))).toEqual(refused);
      }
      expect(asked).toEqual([]);
      expect(errorOf(await server.send('GET', '/admin', by('https://admin.example.org', 'none')))).toEqual(
        unknown,
      );
      expect(errorOf(await server.send('GET', '/admin', { token: 'none' }))).toEqual(unknown);
    }));

  it('are the only ones that browsers are told of', () =>
    serving({ administrators: page }, async (server) => {
      const told = async (method: string, path: string, origin: string): Promise<unknown[]> => {
        const { status, headers } = await server.send(method, path, by(origin));
        return [status, headers.get('access-control-allow-origin'), headers.get('vary')];
      };
      const good = 'https://admin.example.org';
      expect(await told('OPTIONS', '/admin', good)).toEqual([200, good, 'Origin']);
      expect(await told('OPTIONS', '/admin', 'https://evil.example')).toEqual([200, null, 'Origin']);
      expect(await told('GET', '/admin', good)).toEqual([401, good, 'Origin']);
      expect(await told('GET', '/admin', 'https://evil.example')).toEqual([403, null, 'Origin']);
      expect(await told('GET', '/mine', 'https://evil.example')).toEqual([401, '*', null]);
    }));

  it('are any while none is named', () =>
    serving({}, async (server) => {
      const answer = await server.send('GET', '/admin', by('https://evil.example', 'none'));
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(errorOf(answer)).toEqual(unknown);
    }));
});
