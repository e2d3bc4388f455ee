import { createLogger, type LogLevel } from './logger.ts';
import { withTrace } from './trace.ts';

function collect(level: LogLevel): { logger: ReturnType<typeof createLogger>; lines: string[] } {
  const lines: string[] = [];
  return { logger: createLogger(level, { write: (line) => void lines.push(line) }), lines };
}

describe('a logger', () => {
  it('writes one line of JSON per entry, from its level on', () => {
    const { logger, lines } = collect('warn');
    logger.info('too little');
    logger.warn({ rooms: 3 }, 'enough');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ rooms: 3, msg: 'enough' }]);
    expect(lines[0]?.endsWith('\n')).toBe(true);
  });

  it.each(['password', 'access_token', 'accessToken', 'tokenHash', 'passwordHash', 'mac', 'authorization'])(
    'never writes what stands under %s',
    (key) => {
      const { logger, lines } = collect('info');
      logger.info({ [key]: 'hunter2', inner: { [key]: 'hunter2', deeper: { [key]: 'hunter2' } } });
      expect(lines.join()).not.toContain('hunter2');
      expect(lines.join().match(/\[secret\]/g)).toHaveLength(3);
    },
  );

  it('writes the trace ID of what it belongs to, and none outside of any', () => {
    const { logger, lines } = collect('info');
    withTrace('trace-1', () => logger.info('inside'));
    logger.info('outside');
    const entries = lines.map((line) => JSON.parse(line) as { traceId?: string });
    expect(entries.map((entry) => entry.traceId)).toEqual(['trace-1', undefined]);
  });

  it('says what was thrown, with its causes, and nothing that hangs on it', () => {
    const { logger, lines } = collect('info');
    const cause = Object.assign(new RangeError('the cause'), { code: '23505', detail: 'hunter2' });
    logger.error({ error: new Error('the effect', { cause }) }, 'failed');
    logger.error({ error: new AggregateError([cause], 'several') }, 'failed');
    logger.error({ error: 'a text' }, 'failed');
    const errors = lines.map((line) => (JSON.parse(line) as { error: unknown }).error);
    const described = { type: 'RangeError', message: 'the cause', code: '23505' };
    expect(errors).toMatchObject([
      {
        type: 'Error',
        message: 'the effect',
        stack: expect.stringContaining('at ') as string,
        cause: described,
      },
      { type: 'AggregateError', message: 'several', errors: [described] },
      'a text',
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('does not follow causes without end', () => {
    const { logger, lines } = collect('info');
    const circular = new Error('round and round');
    circular.cause = circular;
    logger.error({ error: circular }, 'failed');
    expect(lines.join().match(/round and round/g)?.length).toBeLessThan(20);
  });

  it('writes nothing when it is silent', () => {
    const { logger, lines } = collect('silent');
    logger.error('anything');
    expect(lines).toEqual([]);
  });
});
