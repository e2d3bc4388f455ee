import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

import { limitExceeded } from '@seneschal/matrix';

import type { RateLimitClass } from './endpoint.ts';

/**
 * Requests in a window, per user or, without a user, per address, or per asking server; counted by each gateway process
 * for itself. Administrators have a class of their own: higher, never absent (a stolen token is limited too).
 */
const limits: Record<Exclude<RateLimitClass, 'none' | 'server'>, { points: number; seconds: number }> = {
  login: { points: 20, seconds: 60 },
  register: { points: 20, seconds: 60 },
  report: { points: 20, seconds: 60 },
  keys: { points: 60, seconds: 60 },
  read: { points: 500, seconds: 10 },
  write: { points: 200, seconds: 10 },
  admin: { points: 2000, seconds: 10 },
};

/** Counts requests; `check` throws M_LIMIT_EXCEEDED with the time to wait. */
export class RateLimits {
  readonly #limiters: Map<RateLimitClass, RateLimiterMemory>;

  /** @param serverRequests of one other server in a second, over ten of them */
  constructor(enabled: boolean, serverRequests = 50) {
    const server = { points: serverRequests * 10, seconds: 10 };
    const entries = enabled ? Object.entries({ ...limits, server }) : [];
    this.#limiters = new Map(
      entries.map(([name, { points, seconds }]) => [
        name as RateLimitClass,
        new RateLimiterMemory({ points, duration: seconds, keyPrefix: name }),
      ]),
    );
  }

  async check(limitClass: RateLimitClass, key: string): Promise<void> {
    const limiter = this.#limiters.get(limitClass);
    if (limiter === undefined) return;
    try {
      await limiter.consume(key);
    } catch (error) {
      if (error instanceof RateLimiterRes) throw limitExceeded(error.msBeforeNext);
      throw error;
    }
  }
}
