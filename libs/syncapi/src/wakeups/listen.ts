import type { Bus } from '@seneschal/bus';
import type { Logger, Stoppable } from '@seneschal/observability';

import { parseWakeup, wakeupChannel } from './wakeup.ts';
import type { Waiters } from './waiters.ts';

/** Passes wake-ups from Redis on. After a lost connection all are woken, as some may have been missed. */
export function listenForWakeups(
  bus: Pick<Bus, 'subscribe' | 'prefix'>,
  waiters: Waiters,
  logger: Pick<Logger, 'warn'>,
): Stoppable {
  return bus.subscribe(wakeupChannel(bus.prefix), {
    hear(message) {
      try {
        waiters.tell(parseWakeup(message));
      } catch (error) {
        logger.warn({ error }, 'a wake-up cannot be read');
      }
    },
    heard: () => waiters.wakeAll(),
  });
}
