import { request } from 'node:http';

import { forbidden } from '@seneschal/matrix';
import { z } from 'zod';

import { endpoint } from '../src/index.ts';
import { errorOf, TestServer, withServer } from './server.ts';

const ok = z.object({});

/** Says what it was given. */
const echo = endpoint({
  method: 'POST',
  path: ['/echo/:id', '/old/echo/:id'],
  access: 'admin',
  rateLimit: 'admin',
  summary: 'Echo',
  params: z.object({ id: z.string().max(20) }),
  query: z.object({
    n: z.coerce.number().optional(),
    many: z.union([z.string(), z.array(z.string())]).optional(),
  }),
  body: z.object({ text: z.string() }),
  answer: z.looseObject({}),
  before: async ({ id }) => {
    if (id === 'forbidden') throw forbidden('Not this one.');
  },
  handle: async ({ params, query, body, requester, ip, userAgent }) => ({
    params,
    query,
    body,
    userId: requester.userId,
    ip,
    userAgent,
  }),
});
const visit = endpoint({
  method: 'GET',
  path: '/visit',
  access: 'user',
  rateLimit: 'read',
  summary: 'Visit',
  answer: ok,
  handle: async () => ({}),
});
const open = endpoint({
  method: 'GET',
  path: '/open',
  access: 'public',
  rateLimit: 'read',
  summary: 'Open',
  answer: z.looseObject({}),
  handle: async ({ ip, tokenHash }) => ({ ip, tokenHash }),
});

describe('the checks of a request', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start([echo, visit, open]);
  });
  afterAll(() => server.stop());

  const body = JSON.stringify({ text: 'hello' });

  it('hand everything to the handler, checked', async () => {
    const answer = await server.send('POST', '/echo/a%2Fb%20c?n=3&many=x&many=y', {
      token: 'admin',
      body,
      headers: { 'User-Agent': 'agent' },
    });
    expect(answer.body).toEqual({
      params: { id: 'a/b c' },
      query: { n: 3, many: ['x', 'y'] },
      body: { text: 'hello' },
      userId: '@admin:test.example',
      ip: '127.0.0.1',
      userAgent: 'agent',
    });
  });

  it.each<[string, string, string, RequestInit & { token?: string }, number, string]>([
    ['route', 'POST', '/none', {}, 404, 'M_UNRECOGNIZED'],
    ['method', 'PUT', '/echo/x', {}, 405, 'M_UNRECOGNIZED'],
    ['token', 'POST', '/echo/x', { body: '{' }, 401, 'M_MISSING_TOKEN'],
    ['known token', 'POST', '/echo/x', { token: 'none', body: '{' }, 401, 'M_UNKNOWN_TOKEN'],
    ['administrator', 'POST', `/echo/${'x'.repeat(21)}`, { token: 'user', body: '{' }, 403, 'M_FORBIDDEN'],
    ['path', 'POST', `/echo/${'x'.repeat(21)}?n=x`, { token: 'admin', body: '{' }, 400, 'M_INVALID_PARAM'],
    ['query', 'POST', '/echo/forbidden?n=x', { token: 'admin', body: '{' }, 400, 'M_INVALID_PARAM'],
    ['before', 'POST', '/echo/forbidden', { token: 'admin', body: '{' }, 403, 'M_FORBIDDEN'],
    ['body', 'POST', '/echo/x', { token: 'admin', body: '{' }, 400, 'M_NOT_JSON'],
    ['its fields', 'POST', '/echo/x', { token: 'admin', body: '{}' }, 400, 'M_MISSING_PARAM'],
    ['its types', 'POST', '/echo/x', { token: 'admin', body: '{"text":1}' }, 400, 'M_BAD_JSON'],
  ])('come in their order: %s', async (_name, method, path, init, status, errcode) => {
    expect(errorOf(await server.send(method, path, init))).toEqual([status, errcode]);
  });

  it('serve every path of an endpoint', async () => {
    expect((await server.send('POST', '/old/echo/x', { token: 'admin', body })).status).toBe(200);
  });

  it.each(['/echo/', '/echo', '/echo/x/', '/echo/x/y', '//echo/x', '/ECHO/x', '/'])(
    'do not know %s',
    async (path) => {
      expect(errorOf(await server.send('POST', path, { token: 'admin' }))).toEqual([404, 'M_UNRECOGNIZED']);
    },
  );

  it('answer HEAD as a method that is not there, without a body', async () => {
    const answer = await server.send('HEAD', '/open');
    expect([answer.status, answer.text]).toEqual([405, '']);
  });

  it('answer OPTIONS on a known path without a token, and not on an unknown one', async () => {
    const answer = await server.send('OPTIONS', '/echo/x');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(errorOf(await server.send('OPTIONS', '/none'))).toEqual([404, 'M_UNRECOGNIZED']);
  });

  it('put the same headers on every answer', async () => {
    const answers = [
      await server.send('GET', '/open'),
      await server.send('GET', '/none'),
      await server.send('OPTIONS', '/open'),
      await server.send('GET', '/visit'),
    ];
    for (const { headers } of answers) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
        'access-control-allow-headers':
          'Origin, X-Requested-With, Content-Type, Accept, Authorization, Prefer, Idempotency-Key, Last-Event-ID',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('refuse an escape that is none as 400', async () => {
    expect(await rawStatus(server.url, '/echo/%zz')).toBe(400);
    expect(await rawStatus(server.url, '/echo/%ff')).toBe(400);
  });

  it('need no token where anyone may call', async () => {
    const answer = await server.send('GET', '/open', { token: 'none' });
    expect(answer.body).toEqual({ ip: '127.0.0.1', tokenHash: '' });
  });
});

describe('what is told of callers', () => {
  it('is user, device, address and agent of every authenticated request', async () => {
    const seen: unknown[] = [];
    const connections = { seen: (one: unknown) => void seen.push(one) };
    await withServer(
      [visit, open],
      async (server) => {
        await server.send('GET', '/visit', { token: 'user', headers: { 'User-Agent': 'agent' } });
        await server.send('GET', '/visit', { token: 'none' });
        await server.send('GET', '/open');
        expect(seen).toEqual([
          { userId: '@user:test.example', deviceId: 'U', ip: '127.0.0.1', userAgent: 'agent' },
        ]);
      },
      { connections },
    );
  });

  it('believes X-Forwarded-For only from a trusted proxy', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.7, 127.0.0.1' };
    await withServer([open], async (server) => {
      expect((await server.send('GET', '/open', { headers })).body['ip']).toBe('127.0.0.1');
    });
    await withServer(
      [open],
      async (server) => {
        expect((await server.send('GET', '/open', { headers })).body['ip']).toBe('203.0.113.7');
      },
      { trustedProxies: 'loopback, 10.0.0.0/8' },
    );
  });
});

/** fetch would mend the path. */
function rawStatus(url: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const headers = { Authorization: 'Bearer admin' };
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method: 'POST', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
