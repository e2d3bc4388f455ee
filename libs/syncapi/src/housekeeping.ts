import type { RoomserverForSliding, UserapiForSync } from '@seneschal/contracts';
import type { Logger, Stoppable } from '@seneschal/observability';
import type { Kysely } from 'kysely';

import {
  forgetDevices,
  forgetRooms,
  forgetUnused,
  roomsOfConnections,
  usersOfConnections,
} from './storage/connection-sweeps.ts';
import type { SyncapiTables } from './storage/tables.ts';

export interface HousekeepingDeps {
  db: Kysely<SyncapiTables>;
  logger: Pick<Logger, 'warn'>;
  roomserver: Pick<RoomserverForSliding, 'roomTraits'>;
  userapi: Pick<UserapiForSync, 'deviceIds'>;
}

const everyMs = 3_600_000;
const batch = 500;
/** A client that was away for longer begins anew. */
const unusedMs = 7 * 24 * 3_600_000;

/**
 * Forgets connections that nobody uses, and, where a wake-up was lost, what is kept of devices and rooms that
 * are gone.
 */
export class Housekeeping implements Stoppable {
  readonly #deps: HousekeepingDeps;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.run(), everyMs);
  }

  async run(now = Date.now()): Promise<void> {
    this.#running ??= this.#round(now)
      .catch((error: unknown) => this.#deps.logger.warn({ error }, 'the housekeeping of connections failed'))
      .finally(() => {
        this.#running = undefined;
      });
    await this.#running;
  }

  async #round(now: number): Promise<void> {
    const { db } = this.#deps;
    while (!this.#isStopping && (await forgetUnused(db, now - unusedMs, batch)) === batch) {
      // Until all are forgotten.
    }
    await this.#pages(
      (after) => usersOfConnections(db, after, batch),
      (users) => this.#forgetDevices(users),
    );
    await this.#pages(
      (after) => roomsOfConnections(db, after, batch),
      (rooms) => this.#forgetRooms(rooms),
    );
  }

  async #pages(
    read: (after: string) => Promise<string[]>,
    work: (page: string[]) => Promise<void>,
  ): Promise<void> {
    let after = '';
    while (!this.#isStopping) {
      const page = await read(after);
      await work(page);
      if (page.length < batch) return;
      after = page.at(-1) ?? after;
    }
  }

  async #forgetDevices(users: readonly string[]): Promise<void> {
    const { db, userapi } = this.#deps;
    for (const userId of users) await forgetDevices(db, userId, await userapi.deviceIds(userId));
  }

  async #forgetRooms(rooms: readonly string[]): Promise<void> {
    const { db, roomserver } = this.#deps;
    const there = await roomserver.roomTraits('', rooms);
    await forgetRooms(
      db,
      rooms.filter((roomId) => !there.has(roomId)),
    );
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
