import { Cluster, Redis, type RedisOptions } from 'ioredis';

import type { Logger } from '@seneschal/observability';

import { parseRedisAddress } from './redis-address.ts';

/** A Redis that cannot be used. The message says what to change. */
export class RedisRefused extends Error {
  override readonly name = 'RedisRefused';
}

/** What every key begins with: in a cluster between braces, so that all keys of a queue are on one of its servers. */
export function keyPrefix(url: string, prefix: string): string {
  return parseRedisAddress(url)?.kind === 'cluster' ? `{${prefix}}` : prefix;
}

/**
 * Connects to Redis at any address that `parseRedisAddress` reads.
 * @param patience 'bounded' for what a request waits for: commands fail within seconds while Redis is
 *   away; 'endless' for workers, which BullMQ wants to wait until it is back
 */
export function connectRedis(url: string, patience: 'bounded' | 'endless', logger: Logger): Redis {
  const redis = open(url, {
    maxRetriesPerRequest: patience === 'bounded' ? 2 : null,
    retryStrategy: pause,
    // ioredis leaves it unhandled when that fails; a Subscription does it.
    autoResubscribe: false,
    // Its timer outlives a connection that was lost before it was given up, and with it the process.
    disconnectTimeout: 250,
    // A server that is no master any more still answers: connect anew, to the one that is.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    ...(patience === 'bounded' ? { commandTimeout: 10_000 } : {}),
  });
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

function pause(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 5), 1000);
}

function open(url: string, options: Omit<RedisOptions, 'replyMapping'>): Redis {
  const address = parseRedisAddress(url);
  if (address === undefined) throw new RedisRefused('The address in redis_url is none of Redis.');
  if (address.kind === 'one') return new Redis(address.url, options);
  const { password } = address;
  if (address.kind === 'socket') {
    return new Redis({ ...options, path: address.path, ...(password === undefined ? {} : { password }) });
  }
  const { username, tls, hosts } = address;
  const login = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
  if (address.kind === 'cluster') {
    const cluster = new Cluster(hosts, {
      redisOptions: { ...options, ...login },
      clusterRetryStrategy: pause,
      // Names of a certificate are those of the servers, not their addresses.
      ...(tls ? { dnsLookup: (name, callback) => callback(null, name) } : {}),
    });
    // It takes the same commands, and BullMQ tells the two apart by itself.
    return cluster as unknown as Redis;
  }
  const { name, db, sentinelPassword } = address;
  return new Redis({
    ...options,
    ...login,
    sentinels: hosts,
    name,
    db,
    sentinelRetryStrategy: pause,
    failoverDetector: true,
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  });
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
