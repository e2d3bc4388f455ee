import { z } from 'zod';

import { endpoint, type Endpoint } from '../src/index.ts';
import { errorOf, TestServer } from './server.ts';

function taking(
  path: string,
  options: Partial<Pick<Endpoint, 'bodyStyle' | 'bodyOptional' | 'brokenBody'>>,
): Endpoint {
  return endpoint({
    method: 'POST',
    path,
    access: 'public',
    rateLimit: 'none',
    summary: 'Take',
    body: z.unknown(),
    answer: z.object({ got: z.unknown() }),
    handle: async ({ body }) => ({ got: body }),
    ...options,
  });
}

describe('bodies', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start([
      taking('/json', {}),
      taking('/optional', { bodyOptional: true }),
      taking('/go', { bodyStyle: 'go' }),
      taking('/broken', { bodyStyle: 'go', brokenBody: 'M_BAD_JSON' }),
    ]);
  });
  afterAll(() => server.stop());

  const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    server.send('POST', path, { body, headers });

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense'])(
    'are JSON whatever their content type says: %s',
    async (type) => {
      expect((await post('/json', '{"a":1}', { 'Content-Type': type })).body).toEqual({ got: { a: 1 } });
    },
  );

  it('of style json are one value and nothing after it', async () => {
    expect((await post('/json', ' [1, null] ')).body).toEqual({ got: [1, null] });
    expect(errorOf(await post('/json', '{} {}'))).toEqual([400, 'M_NOT_JSON']);
    expect(errorOf(await post('/json', ''))).toEqual([400, 'M_NOT_JSON']);
  });

  it('may be missing where that is declared, but not broken', async () => {
    expect((await post('/optional', '')).body).toEqual({ got: {} });
    expect((await post('/optional', ' \n')).body).toEqual({ got: {} });
    expect(errorOf(await post('/optional', '{'))).toEqual([400, 'M_NOT_JSON']);
  });

  it.each([
    ['the first value counts', '{"a":1} and {"a":2}', { a: 1 }],
    ['keys match in any case', '{"UserName":"A"}', { username: 'A' }],
    ['null stands for {}', 'null', {}],
    [
      '__proto__ is a key like others',
      '{"__proto__":{"x":1}}',
      JSON.parse('{"__proto__":{"x":1}}') as unknown,
    ],
  ])('of style go are read as Go does: %s', async (_name, body, got) => {
    expect((await post('/go', body)).body).toEqual({ got });
  });

  it('of style go are objects', async () => {
    for (const body of ['[]', '"text"', '1', 'true']) {
      expect(errorOf(await post('/go', body))).toEqual([400, 'M_BAD_JSON']);
    }
    expect(errorOf(await post('/go', ''))).toEqual([400, 'M_NOT_JSON']);
  });

  it('are M_BAD_JSON when broken where that is declared', async () => {
    for (const body of ['', '{x', 'nul']) {
      expect(errorOf(await post('/broken', body))).toEqual([400, 'M_BAD_JSON']);
    }
  });

  it('trap 15 (CVE-2024-52805): are read up to the limit and not further', async () => {
    const filler = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));
    expect((await post('/json', filler(1000))).status).toBe(200);
    const refused = await post('/json', filler(1001));
    expect(errorOf(refused)).toEqual([413, 'M_TOO_LARGE']);
    expect(refused.headers.get('connection')).toBe('close');
  });

  it('trap 16 (CVE-2022-31052): are refused when they nest too deeply, before they are parsed', async () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect((await post('/json', nested(100))).status).toBe(200);
    expect(errorOf(await post('/json', nested(101)))).toEqual([400, 'M_BAD_JSON']);
    expect(errorOf(await post('/go', '{"a":'.repeat(120)))).toEqual([400, 'M_BAD_JSON']);
  });

  it('are UTF-8', async () => {
    expect((await post('/json', '"müde 🦭"')).body).toEqual({ got: 'müde 🦭' });
    expect(errorOf(await post('/json', Buffer.from([0x22, 0xff, 0x22])))).toEqual([400, 'M_NOT_JSON']);
  });
});

it('trap 16 (CVE-2022-31052): 100,000 levels neither overflow the stack nor are taken', async () => {
  const server = await TestServer.start([taking('/json', {})], { maxBodyBytes: 1_000_000 });
  expect(errorOf(await server.send('POST', '/json', { body: '['.repeat(100_000) }))).toEqual([
    400,
    'M_BAD_JSON',
  ]);
  await server.stop();
});
