import { z } from 'zod';

import { currentTraceId, Metrics } from '@seneschal/observability';

import { endpoint, type Endpoint } from '../src/index.ts';
import { withServer } from './server.ts';

const traced: Endpoint = endpoint({
  method: 'GET',
  path: '/traced/:name',
  access: 'admin',
  rateLimit: 'admin',
  audit: false,
  summary: 'Answers its trace ID',
  params: z.object({ name: z.string() }),
  answer: z.object({ traceId: z.string() }),
  handle: async ({ params }) => {
    if (params.name === 'fault') throw new Error('a fault');
    return { traceId: currentTraceId() };
  },
});

describe('a request', () => {
  it('has a trace ID, in its work, its answer and every line that is logged for it', async () => {
    await withServer([traced], async (server) => {
      const answer = await server.send('GET', '/traced/x', { token: 'admin' });
      const traceId = answer.headers.get('x-request-id');
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(answer.body['traceId']).toBe(traceId);
      const fault = await server.send('GET', '/traced/fault', { token: 'admin' });
      const id = fault.headers.get('x-request-id')!;
      const lines = server.logs.filter((line) => line.includes(id));
      expect(lines.some((line) => line.includes('request failed'))).toBe(true);
    });
  });

  it('takes the trace ID of a traceparent, and nothing that is none', async () => {
    await withServer([traced], async (server) => {
      const id = '0af7651916cd43dd8448eb211c80319c';
      const send = async (traceparent: string): Promise<string | null> => {
        const answer = await server.send('GET', '/traced/x', { token: 'admin', headers: { traceparent } });
        return answer.headers.get('x-request-id');
      };
      expect(await send(`00-${id}-b7ad6b7169203331-01`)).toBe(id);
      expect(await send(`00-${id}-b7ad6b7169203331-01\\n`)).not.toBe(id);
      expect(await send('evil')).toMatch(/^[0-9a-f]{32}$/);
    });
  });

  it('is logged by its declared route, without what stands in its path or its token', async () => {
    await withServer([traced], async (server) => {
      await server.send('GET', '/traced/private?access_token=admin');
      const line = server.logs.find((one) => one.includes('"msg":"request"'));
      expect(JSON.parse(line ?? '{}')).toMatchObject({ route: '/traced/:name', status: 200, method: 'GET' });
      expect(server.logs.join()).not.toMatch(/private|access_token/);
    });
  });
});

describe('a gauge', () => {
  it('is read when it is asked for, and left out while it cannot be read', async () => {
    const metrics = new Metrics();
    let value = 1;
    let broken = false;
    metrics.gauge('figure', 'A figure', ['kind'], () => {
      if (broken) throw new Error('away');
      return [{ labels: { kind: 'a' }, value }];
    });
    expect(await metrics.text()).toContain('figure{kind="a"} 1');
    value = 2;
    expect(await metrics.text()).toContain('figure{kind="a"} 2');
    broken = true;
    expect(await metrics.text()).not.toContain('figure{kind="a"}');
  });
});
