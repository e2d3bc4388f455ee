import { startCollector } from '@seneschal/testing';

import { openTracer } from './open-tracer.ts';
import type { Span } from './span.ts';
import { activeSpan, activeTraceId, inSpan, startSpan, traced } from './trace.ts';

const id = '0af7651916cd43dd8448eb211c80319c';
const options = { headers: {}, sampleRatio: 1, serviceName: 'tests', processName: 'worker' };

async function withTracer(
  sampleRatio: number,
  work: (tracer: Awaited<ReturnType<typeof openTracer>>) => Promise<void>,
): Promise<Awaited<ReturnType<typeof startCollector>>> {
  const collector = await startCollector();
  const headers = { 'x-api-key': 'a key' };
  const tracer = await openTracer({
    ...options,
    headers,
    sampleRatio,
    endpoint: collector.endpoint,
    exported: () => undefined,
  });
  await work(tracer);
  await tracer.stop();
  await collector.stop();
  return collector;
}

describe('a tracer', () => {
  it('sends what is left when it is stopped, with its headers, as one tree', async () => {
    const collector = await withTracer(1, async (tracer) => {
      await inSpan(startSpan(tracer, 'outer', { kind: 'server' }), async () => {
        expect(activeTraceId()).toBe(activeSpan()?.traceId);
        await traced('inner', { attributes: { rooms: 3 } }, async () => undefined);
      });
    });
    const [inner, outer] = ['inner', 'outer'].map((name) =>
      collector.spans().find((span) => span.name === name),
    );
    expect(outer).toMatchObject({ service: 'tests', process: 'worker', isError: false });
    expect(inner).toMatchObject({
      traceId: outer?.traceId,
      parentSpanId: outer?.spanId,
      attributes: { rooms: 3 },
    });
    expect(collector.receiver.received[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'x-api-key': 'a key' },
    });
  });

  it('goes on with the trace of a caller, and believes only our own processes what is recorded', async () => {
    const seen: string[] = [];
    const collector = await withTracer(0, async (tracer) => {
      const end = (span: Span): void => {
        seen.push(`${span.traceId} ${String(span.isRecorded)} ${span.traceParent.slice(-2)}`);
        span.end();
      };
      end(tracer.start('from outside', { caller: `00-${id}-b7ad6b7169203331-01` }));
      end(tracer.start('from our own', { parent: `00-${id}-b7ad6b7169203331-01` }));
      end(tracer.start('nonsense', { caller: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }));
    });
    expect(seen.slice(0, 2)).toEqual([`${id} false 00`, `${id} true 01`]);
    expect(seen[2]).not.toContain('0'.repeat(32));
    expect(collector.spans().map(({ name }) => name)).toEqual(['from our own']);
  });

  it('tells of an error its kind, and of a refusal that it is none', async () => {
    const collector = await withTracer(1, async (tracer) => {
      const refusal = Object.assign(new Error('hunter2'), { errcode: 'M_NOT_FOUND', status: 404 });
      for (const error of [new RangeError('hunter2'), refusal]) {
        const failing = inSpan(startSpan(tracer, error.name), () => Promise.reject(error));
        await expect(failing).rejects.toBe(error);
      }
    });
    expect(collector.spans().map(({ isError, attributes }) => [isError, attributes['error.type']])).toEqual([
      [true, 'RangeError'],
      [false, 'M_NOT_FOUND'],
    ]);
    expect(collector.receiver.received.map(({ body }) => body).join()).not.toContain('hunter2');
  });

  it('stops in time when there is no collector, and says what was lost', async () => {
    const told: (Error | undefined)[] = [];
    const exported = (_spans: number, error: Error | undefined): void => void told.push(error);
    const tracer = await openTracer({ ...options, endpoint: 'http://127.0.0.1:1/v1/traces', exported });
    tracer.start('lost').end();
    const started = performance.now();
    await tracer.stop();
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(told.length).toBeGreaterThan(0);
    // Not of this realm's Error: the SDK makes some of them.
    for (const error of told) expect(error?.message).toEqual(expect.any(String));
  });

  it('costs nothing where there is none', async () => {
    expect(startSpan(undefined, 'nothing')).toBeUndefined();
    expect(await traced('nothing', {}, async () => activeSpan() ?? 'no span')).toBe('no span');
  });
});
