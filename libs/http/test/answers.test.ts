import { limitExceeded } from '@seneschal/matrix';
import { z } from 'zod';

import { endpoint, Reply } from '../src/index.ts';
import { withServer } from './server.ts';

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

  it('ask to try again when the database is away', async () => {
    const lost = Object.assign(new Error('terminating connection of seneschal'), { code: '57P01' });
    await withServer([throwing('/lost', lost)], async (server) => {
      const answer = await server.send('GET', '/lost');
      expect([answer.status, answer.body, answer.headers.get('retry-after')]).toEqual([
        503,
        {
          errcode: 'M_UNKNOWN',
          error: 'The server cannot reach its database. Try again in a moment.',
          retry_after_ms: 2000,
        },
        '2',
      ]);
      expect(server.logs.join('')).toContain('request failed');
    });
  });

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
      answer: z.object({}),
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
