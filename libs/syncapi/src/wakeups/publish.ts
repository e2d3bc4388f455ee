import type { Bus } from '@seneschal/bus';

import { type Wakeup, wakeupChannel } from './wakeup.ts';

/** What publishes wake-ups. */
export type WakeupBus = Pick<Bus, 'redis' | 'prefix'>;

export async function publishWakeup(bus: WakeupBus, wakeup: Wakeup): Promise<void> {
  if (wakeup.rooms.length === 0 && wakeup.users.length === 0) return;
  await bus.redis.publish(wakeupChannel(bus.prefix), JSON.stringify(wakeup));
}
