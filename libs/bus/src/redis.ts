import { Redis } from 'ioredis';

import type { Logger } from '@seneschal/observability';

/** A Redis that cannot be used. The message says what to change. */
export class RedisRefused extends Error {
  override readonly name = 'RedisRefused';
}

function optionsOf(url: string): { path?: string; url?: string; password?: string } {
  if (!/^(redis\+)?unix:\/\//.test(url)) return { url };
  const parsed = new URL(url.replace(/^(redis\+)?unix:\/\/([^/]*@)?/, 'http://$2localhost'));
  return {
    path: decodeURIComponent(parsed.pathname),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
  };
}

/**
 * Connects to Redis at `redis://…`, `rediss://…` or `redis+unix://:password@/path`.
 * @param patience 'bounded' for what a request waits for: commands fail within seconds while Redis is
 *   away; 'endless' for workers, which BullMQ wants to wait until it is back
 */
export function connectRedis(url: string, patience: 'bounded' | 'endless', logger: Logger): Redis {
  const { url: address, ...rest } = optionsOf(url);
  const options = {
    ...rest,
    maxRetriesPerRequest: patience === 'bounded' ? 2 : null,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 5), 1000),
    ...(patience === 'bounded' ? { commandTimeout: 10_000 } : {}),
  };
  const redis = address === undefined ? new Redis(options) : new Redis(address, options);
  let reported = '';
  redis.on('error', (error: Error) => {
    if (error.message !== reported) logger.warn({ error: error.message }, 'Redis cannot be reached');
    reported = error.message;
  });
  redis.on('ready', () => {
    reported = '';
  });
  return redis;
}

/** Refuses a Redis that cannot be reached, is too old or may evict keys: BullMQ itself would only warn. */
export async function checkRedis(redis: Redis): Promise<void> {
  const information = await redis.info().catch((error: unknown) => {
    throw new RedisRefused('Redis cannot be reached at the address in redis_url, or refuses its password.', {
      cause: error,
    });
  });
  const value = (key: string): string => new RegExp(`^${key}:(.*?)\\r?$`, 'm').exec(information)?.[1] ?? '';
  const [major = 0, minor = 0] = value('redis_version').split('.').map(Number);
  const isValkey = value('valkey_version') !== '';
  if (!isValkey && (major < 6 || (major === 6 && minor < 2))) {
    throw new RedisRefused(
      `Redis ${value('redis_version')} is too old: Seneschal needs Redis or Valkey 6.2 or later.`,
    );
  }
  const policy = value('maxmemory_policy');
  if (policy !== 'noeviction') {
    throw new RedisRefused(
      `Redis may evict queued work: its maxmemory-policy is ${policy}. Set \`maxmemory-policy noeviction\` in its configuration.`,
    );
  }
}
