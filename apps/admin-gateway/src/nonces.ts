import { randomBytes } from 'node:crypto';

import type { Bus } from '@seneschal/bus';
import { limitExceeded } from '@seneschal/matrix';

const lifetimeMs = 60_000;
/** Anybody may ask for nonces: this bounds what they take of Redis. */
const maximumLive = 10_000;

/** Redis keeps the time, so that it is the same for all gateways. */
const setUp = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
const issueScript = `${setUp}
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1
`;
const takeScript = `${setUp}
  local expires = redis.call('ZSCORE', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
  if expires and tonumber(expires) > now then return 1 end
  return 0
`;

/** Nonces for shared-secret registration: shared by all gateways, good once and for a minute. */
export class Nonces {
  readonly #redis: Bus['redis'];
  readonly #key: string;

  constructor({ redis, prefix }: Pick<Bus, 'redis' | 'prefix'>) {
    this.#redis = redis;
    this.#key = `${prefix}:register-nonces`;
  }

  /** Throws M_LIMIT_EXCEEDED while too many are in use. */
  async issue(): Promise<string> {
    const nonce = randomBytes(24).toString('base64url');
    const issued = await this.#redis.eval(issueScript, 1, this.#key, nonce, maximumLive, lifetimeMs);
    if (issued !== 1) throw limitExceeded(lifetimeMs, 'Too many nonces are in use. Try again in a minute.');
    return nonce;
  }

  /** Uses a nonce up; false when there is none, or not any more. */
  async take(nonce: string): Promise<boolean> {
    return (await this.#redis.eval(takeScript, 1, this.#key, nonce)) === 1;
  }
}
