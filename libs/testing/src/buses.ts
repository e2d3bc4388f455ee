import { Bus, connectRedis } from '@seneschal/bus';
import type { Database } from '@seneschal/database';
import { createLogger, type Logger, type Stoppable } from '@seneschal/observability';

import { testServices, uniqueName } from './services.ts';

export interface TestBusOptions {
  /** For several buses that are to talk with each other. */
  prefix?: string;
  redisUrl?: string;
  logger?: Logger;
  pollMs?: number;
  concurrency?: number;
}

/** A bus with keys of its own in Redis; `stop` removes them. */
export async function startBus(
  database: Database,
  options: TestBusOptions = {},
): Promise<{ bus: Bus } & Stoppable> {
  const prefix = options.prefix ?? uniqueName();
  const redisUrl = options.redisUrl ?? testServices().redisUrl;
  const bus = await Bus.open({
    redisUrl,
    prefix,
    database,
    logger: options.logger ?? createLogger('silent'),
    concurrency: options.concurrency ?? 8,
    ...(options.pollMs === undefined ? {} : { pollMs: options.pollMs }),
  });
  return {
    bus,
    stop: async () => {
      await bus.stop();
      if (options.redisUrl === undefined) await removeKeys(redisUrl, prefix);
    },
  };
}

/** Removes every key that begins with a prefix. */
export async function removeKeys(redisUrl: string, prefix: string): Promise<void> {
  const redis = connectRedis(redisUrl, 'bounded', createLogger('silent'));
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1000 }) as AsyncIterable<
      string[]
    >) {
      if (keys.length > 0) await redis.unlink(keys);
    }
  } finally {
    redis.disconnect();
  }
}
