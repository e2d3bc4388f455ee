import type { Bus } from '@seneschal/bus';
import type { Stoppable } from '@seneschal/observability';

import type { RoomWriter } from './room-writer.ts';

type ForgettingBus = Pick<Bus, 'redis' | 'subscribe' | 'prefix'>;

function channelOf(prefix: string): string {
  return `${prefix}:rooms-gone`;
}

/**
 * Makes every process drop what it remembers of a room. A message that is lost does no harm: a room that comes
 * back has another number, so nothing remembered is ever taken for it.
 */
export async function forgetEverywhere(bus: ForgettingBus, roomNid: number): Promise<void> {
  await bus.redis.publish(channelOf(bus.prefix), String(roomNid));
}

/**
 * Drops what this process remembers when another one, or itself, says that a room is gone; of all rooms when it
 * may have missed that, as its connection was lost.
 */
export function listenForForgetting(
  bus: ForgettingBus,
  writer: Pick<RoomWriter, 'forget' | 'forgetAll'>,
): Stoppable {
  return bus.subscribe(channelOf(bus.prefix), {
    hear: (message) => writer.forget(Number(message)),
    heard: () => writer.forgetAll(),
  });
}
