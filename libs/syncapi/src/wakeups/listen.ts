import type { Bus } from '@seneschal/bus';
import type { Logger, Stoppable } from '@seneschal/observability';

import { parseWakeup, wakeupChannel } from './wakeup.ts';
import type { Waiters } from './waiters.ts';

/** Passes wake-ups from Redis on. After a lost connection all are woken, as some may have been missed. */
export function listenForWakeups(
  bus: Pick<Bus, 'subscriber' | 'prefix'>,
  waiters: Waiters,
  logger: Pick<Logger, 'warn'>,
): Stoppable {
  const subscriber = bus.subscriber();
  subscriber.on('message', (_channel: string, message: string) => {
    try {
      waiters.tell(parseWakeup(message));
    } catch (error) {
      logger.warn({ error }, 'a wake-up cannot be read');
    }
  });
  subscriber.on('ready', () => waiters.wakeAll());
  subscriber.subscribe(wakeupChannel(bus.prefix)).catch((error: unknown) => {
    logger.warn({ error }, 'no wake-ups: syncs look for news every few seconds');
  });
  return {
    stop: async () => {
      subscriber.disconnect();
    },
  };
}
