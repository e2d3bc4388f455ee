import type { RoomserverForSync, UserapiForSync } from '@seneschal/contracts';

import type { SyncPosition } from '../tokens.ts';

export interface PositionDeps {
  roomserver: Pick<RoomserverForSync, 'position'>;
  userapi: Pick<UserapiForSync, 'position'>;
  typing?: { position(): Promise<number> };
}

/** Where the logs end. Syncs that ask at the same time share one look at the database. */
export class Positions {
  readonly #deps: PositionDeps;
  #running: Promise<SyncPosition> | undefined;
  #queued: Promise<SyncPosition> | undefined;
  #last: { position: SyncPosition; at: number } | undefined;

  constructor(deps: PositionDeps) {
    this.#deps = deps;
  }

  /** Where the logs end now: a look that began before the call does not count. */
  async now(): Promise<SyncPosition> {
    if (this.#running === undefined) return this.#look();
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.#look();
      });
    return this.#queued;
  }

  /** Where the logs ended at most `ms` ago. */
  async recent(ms: number): Promise<SyncPosition> {
    if (this.#last !== undefined && Date.now() - this.#last.at <= ms) return this.#last.position;
    return this.#running ?? this.now();
  }

  #look(): Promise<SyncPosition> {
    const look = this.#read().finally(() => {
      if (this.#running === look) this.#running = undefined;
    });
    this.#running = look;
    return look;
  }

  async #read(): Promise<SyncPosition> {
    const at = Date.now();
    const [roomserver, userapi, typing] = await Promise.all([
      this.#deps.roomserver.position(),
      this.#deps.userapi.position(),
      this.#deps.typing?.position(),
    ]);
    this.#last = { position: { roomserver, userapi, ...(typing === undefined ? {} : { typing }) }, at };
    return this.#last.position;
  }
}
