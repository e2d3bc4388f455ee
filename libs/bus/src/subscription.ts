import type { Redis } from 'ioredis';

import type { Logger, Stoppable } from '@seneschal/observability';

export interface Listener {
  hear(message: string): void;
  /** The channel is heard from now on, for the first time or again: what was said before may have been missed. */
  heard?(): void;
}

/** Hears what is said on one channel of Redis, again after each lost connection, until stopped. */
export class Subscription implements Stoppable {
  /** Resolves when the channel is heard for the first time. */
  readonly ready: Promise<void>;
  readonly #redis: Redis;

  /** @param redis a connection of its own, which does not subscribe again by itself: see `connectRedis` */
  constructor(redis: Redis, channel: string, listener: Listener, logger: Pick<Logger, 'warn'>) {
    this.#redis = redis;
    redis.on('message', (_channel: string, message: string) => listener.hear(message));
    this.ready = new Promise((resolve) => {
      const heard = (): void => {
        resolve();
        listener.heard?.();
      };
      const refused = (error: Error): void => {
        // A connection that is lost meanwhile subscribes when it is back.
        if (error.name === 'ReplyError') logger.warn({ error, channel }, 'Redis refuses a subscription');
      };
      redis.on('ready', () => void redis.subscribe(channel).then(heard, refused));
    });
  }

  async stop(): Promise<void> {
    this.#redis.disconnect();
  }
}
