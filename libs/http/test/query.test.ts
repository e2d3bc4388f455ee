import { z } from 'zod';

import { endpoint } from '../src/index.ts';
import { errorOf, TestServer } from './server.ts';

const look = endpoint({
  method: 'GET',
  path: '/look',
  access: 'public',
  rateLimit: 'read',
  summary: 'Look',
  query: z.object({
    for: z.string().optional(),
    many: z.union([z.string(), z.array(z.string())]).optional(),
    n: z.coerce.number().optional(),
  }),
  answer: z.looseObject({}),
  handle: async ({ query }) => query,
});

describe('the query of a request', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start([look]);
  });
  afterAll(() => server.stop());

  it.each(['for=%00', 'for=a%00b', 'many=%00', 'many=a&many=b%00'])(
    'has no NUL, which PostgreSQL does not take: %s',
    async (query) => {
      expect(errorOf(await server.send('GET', `/look?${query}`))).toEqual([400, 'M_INVALID_PARAM']);
    },
  );

  it('may have anything in what is not looked at', async () => {
    const answer = await server.send('GET', '/look?for=a&n=3&many=b&other=%00');
    expect([answer.status, answer.body]).toEqual([200, { for: 'a', n: 3, many: 'b' }]);
  });
});
