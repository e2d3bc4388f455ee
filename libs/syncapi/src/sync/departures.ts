import type { CallBus } from '@seneschal/bus';
import { roomserver, type RoomserverForSync, type UserapiForSync } from '@seneschal/contracts';
import type { Logger } from '@seneschal/observability';

export interface DeparturesDeps {
  bus: CallBus;
  roomserver: Pick<RoomserverForSync, 'hasUnmarkedDepartures'>;
  userapi: Pick<UserapiForSync, 'deviceIds'>;
  logger: Pick<Logger, 'warn'>;
}

/** A device that was told of no departure is looked at this seldom, in ms. */
const lookAgainMs = 600_000;
const mostDevices = 10_000;

/**
 * Tells the room server which devices know that a room was purged: those that come back with the token of an
 * answer that said so. A look that is missed is made up for by the next one, or by the end of the retention.
 */
export class Departures {
  readonly #deps: DeparturesDeps;
  /** When each device is to be looked at again; the ones seen last stand at the end. */
  readonly #due = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: DeparturesDeps) {
    this.#deps = deps;
  }

  /** A device asks for what is new after a position. */
  cameBack(userId: string, deviceId: string, since: number): void {
    const key = `${userId}\0${deviceId}`;
    const now = Date.now();
    if ((this.#due.get(key) ?? 0) > now) return;
    this.#set(key, now + lookAgainMs);
    const look = this.#look(userId, deviceId, since)
      .catch((error: unknown) => this.#deps.logger.warn({ error }, 'departures could not be marked as seen'))
      .finally(() => this.#running.delete(look));
    this.#running.add(look);
  }

  /** A device has just been told of rooms that were left: it is looked at when it comes back. */
  told(userId: string, deviceId: string): void {
    this.#set(`${userId}\0${deviceId}`, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #look(userId: string, deviceId: string, since: number): Promise<void> {
    if (!(await this.#deps.roomserver.hasUnmarkedDepartures(userId, deviceId, since))) return;
    const devices = await this.#deps.userapi.deviceIds(userId);
    await this.#deps.bus.call(roomserver.markDeparturesSeen, { userId, deviceId, since, devices });
  }

  #set(key: string, due: number): void {
    this.#due.delete(key);
    this.#due.set(key, due);
    for (const oldest of this.#due.keys()) {
      if (this.#due.size <= mostDevices) break;
      this.#due.delete(oldest);
    }
  }
}
