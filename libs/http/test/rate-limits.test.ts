import { z } from 'zod';

import { endpoint, type RateLimitClass } from '../src/index.ts';
import { RateLimits } from '../src/rate-limits.ts';
import { errorOf, type TestServer, withServer } from './server.ts';

const limits = { rateLimits: true };

const reading = endpoint({
  method: 'GET',
  path: '/read',
  access: 'user',
  rateLimit: 'read',
  summary: 'Read',
  answer: z.object({}),
  handle: async () => ({}),
});
const loggingIn = endpoint({
  method: 'POST',
  path: '/login',
  access: 'public',
  rateLimit: 'login',
  summary: 'Log in',
  answer: z.object({}),
  handle: async () => ({}),
});

/** How many calls get through before one is refused. */
async function untilRefused(limitClass: RateLimitClass, atMost: number): Promise<number> {
  const rateLimits = new RateLimits(true);
  for (let count = 0; count < atMost; count += 1) {
    const refused = await rateLimits.check(limitClass, 'key').then(
      () => false,
      () => true,
    );
    if (refused) return count;
  }
  return atMost;
}

async function statuses(server: TestServer, count: number, token: string): Promise<Set<number>> {
  const seen = new Set<number>();
  for (let index = 0; index < count; index += 1) {
    seen.add((await server.send('GET', '/read', { token })).status);
  }
  return seen;
}

describe('rate limits', () => {
  it('M4: are higher for administrators, but never absent', async () => {
    expect(await untilRefused('read', 5000)).toBe(500);
    expect(await untilRefused('admin', 5000)).toBe(2000);
  });

  it('M4: count an administrator in a class of its own, wherever the request goes', async () => {
    await withServer(
      [reading],
      async (server) => {
        expect(await statuses(server, 501, 'user')).toEqual(new Set([200, 429]));
        expect(await statuses(server, 501, 'admin')).toEqual(new Set([200]));
      },
      limits,
    );
  });

  it('M4: end the requests of an administrator too, and say when to come back', async () => {
    await withServer(
      [reading],
      async (server) => {
        const seen = new Set<number>();
        for (let round = 0; round < 42; round += 1) {
          const asked = Array.from({ length: 50 }, () => server.send('GET', '/read', { token: 'admin' }));
          for (const { status } of await Promise.all(asked)) seen.add(status);
        }
        expect(seen).toEqual(new Set([200, 429]));
      },
      limits,
    );
  });

  it('are of each user, whatever others do', async () => {
    await withServer(
      [reading],
      async (server) => {
        await statuses(server, 501, 'user');
        expect(await statuses(server, 1, 'other')).toEqual(new Set([200]));
      },
      limits,
    );
  });

  it('are of each address where there is no user, and say when to come back', async () => {
    await withServer(
      [loggingIn],
      async (server) => {
        for (let count = 0; count < 20; count += 1) await server.send('POST', '/login');
        const refused = await server.send('POST', '/login');
        expect(errorOf(refused)).toEqual([429, 'M_LIMIT_EXCEEDED']);
        expect(refused.body['retry_after_ms']).toBeLessThanOrEqual(60_000);
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
        const elsewhere = { headers: { 'X-Forwarded-For': '203.0.113.7' } };
        expect((await server.send('POST', '/login', elsewhere)).status).toBe(200);
      },
      { ...limits, trustedProxies: 'loopback' },
    );
  });

  it('can be off', async () => {
    const off = new RateLimits(false);
    for (let count = 0; count < 100; count += 1) await off.check('login', 'key');
  });
});
