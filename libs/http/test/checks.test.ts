import { request } from 'node:http';

import { forbidden, limitExceeded } from '@seneschal/matrix';
import { z } from 'zod';

import { endpoint, Reply } from '../src/index.ts';
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

describe('answers and errors', () => {
  const answering = (path: string, handle: () => Promise<Reply>) =>
    endpoint({
      method: 'GET',
      path,
      access: 'public',
      rateLimit: 'none',
      summary: 'Answer',
      answer: z.object({ n: z.number() }),
      otherAnswers: { 202: z.object({ n: z.number() }) },
      handle,
    });
  const throwing = (path: string, error: unknown) =>
    answering(path, async () => {
      throw error;
    });

  it('may have a status, headers and no body', async () => {
    const endpoints = [
      answering('/made', async () => new Reply(202, { n: 1 }, { 'X-Job': 'one' })),
      { ...answering('/empty', async () => new Reply(200)), produces: 'none' as const },
    ];
    await withServer(endpoints, async (server) => {
      const made = await server.send('GET', '/made');
      expect([made.status, made.body, made.headers.get('x-job')]).toEqual([202, { n: 1 }, 'one']);
      const empty = await server.send('GET', '/empty');
      expect([empty.status, empty.text]).toEqual([200, '']);
    });
  });

  it('show errcode, message and fields of a MatrixError, and the time to wait as a header too', async () => {
    await withServer([throwing('/limited', limitExceeded(1500))], async (server) => {
      const answer = await server.send('GET', '/limited');
      expect(answer.status).toBe(429);
      expect(answer.body).toEqual({
        errcode: 'M_LIMIT_EXCEEDED',
        error: expect.any(String) as string,
        retry_after_ms: 1500,
      });
      expect(answer.headers.get('retry-after')).toBe('2');
    });
  });

  it.each([new Error('SELECT secret FROM t'), 'a text', undefined])(
    'tell nothing of a fault of ours: %s',
    async (error) => {
      await withServer([throwing('/fault', error)], async (server) => {
        const answer = await server.send('GET', '/fault');
        expect([answer.status, answer.body]).toEqual([
          500,
          { errcode: 'M_UNKNOWN', error: 'Internal server error.' },
        ]);
        expect(server.logs.join('')).toContain('request failed');
      });
    },
  );

  it('are checked against their schema in the tests', async () => {
    const wrong = answering('/wrong', async () => new Reply(200, { n: 'one' }));
    await withServer([wrong], async (server) => {
      expect((await server.send('GET', '/wrong')).status).toBe(500);
    });
    await withServer(
      [wrong],
      async (server) => {
        expect((await server.send('GET', '/wrong')).status).toBe(200);
      },
      { checkAnswers: false },
    );
  });

  it('abort the signal when the client has gone', async () => {
    let aborted: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    let reached: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const waiting = endpoint({
      method: 'GET',
      path: '/wait',
      access: 'public',
      rateLimit: 'none',
      summary: 'Wait',
      answer: ok,
      handle: async ({ signal }) => {
        signal.addEventListener('abort', aborted);
        reached();
        await gone;
        return {};
      },
    });
    await withServer([waiting], async (server) => {
      const client = new AbortController();
      const answer = server.send('GET', '/wait', { signal: client.signal });
      await begun;
      client.abort();
      await expect(answer).rejects.toThrow();
      await gone;
    });
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
