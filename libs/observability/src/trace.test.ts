import { setImmediate } from 'node:timers/promises';

import { activeTraceId, currentTraceId, withTrace } from './trace.ts';

describe('a trace', () => {
  it('lasts over everything that is awaited, and keeps to its own', async () => {
    const seen = await Promise.all(
      ['one', 'two'].map((traceId) =>
        withTrace(traceId, async () => {
          await setImmediate();
          return [currentTraceId(), activeTraceId()];
        }),
      ),
    );
    expect(seen).toEqual([
      ['one', 'one'],
      ['two', 'two'],
    ]);
  });

  it('is fresh outside of any', () => {
    expect(activeTraceId()).toBeUndefined();
    expect(currentTraceId()).not.toBe(currentTraceId());
  });

  it('gives way to an inner one, and comes back', () => {
    withTrace('outer', () => {
      withTrace('inner', () => expect(currentTraceId()).toBe('inner'));
      expect(currentTraceId()).toBe('outer');
    });
  });
});
