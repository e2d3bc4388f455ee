import type { Kysely } from 'kysely';

import { importRoomJob, isFinished, type JobReads } from '@seneschal/contracts';
import type { Logger, Stoppable } from '@seneschal/observability';

import { abandonImport, closedByImports } from '../archive/store-lines.ts';
import { abandonDeletion, closedDeletions } from '../storage/deletions.ts';
import { forgetDepartures } from '../storage/departures.ts';
import type { RoomserverTables } from '../storage/tables.ts';

export interface HousekeepingDeps {
  db: Kysely<RoomserverTables>;
  jobs: { reads: Pick<JobReads, 'get' | 'list'> };
  logger: Pick<Logger, 'warn' | 'info'>;
  /** How long departures are kept for devices that do not come back, in ms. */
  departuresMs: number;
}

const everyMs = 10_000;
const batch = 1000;

/**
 * Opens rooms again whose deletion was cancelled, or failed, before anything was deleted, removes what imports
 * have left that were given up, and forgets the departures of rooms that were purged long ago.
 */
export class Housekeeping implements Stoppable {
  readonly #deps: HousekeepingDeps;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.run(), everyMs);
  }

  async run(): Promise<void> {
    this.#running ??= this.#round()
      .catch((error: unknown) => this.#deps.logger.warn({ error }, 'the housekeeping of rooms failed'))
      .finally(() => {
        this.#running = undefined;
      });
    await this.#running;
  }

  async #round(): Promise<void> {
    const { db, jobs, logger, departuresMs } = this.#deps;
    for (const { roomId, deletionId } of await closedDeletions(db)) {
      const job = await jobs.reads.get(deletionId);
      if (job !== undefined && !isFinished(job.state)) continue;
      await db.transaction().execute((transaction) => abandonDeletion(transaction, roomId, deletionId));
      logger.info({ roomId, jobId: deletionId }, 'a room is open again: its deletion did not come to it');
    }
    await this.#abandonImports();
    while ((await forgetDepartures(db, Date.now() - departuresMs, batch)) === batch) {
      // Until all are forgotten.
    }
  }

  async #abandonImports(): Promise<void> {
    const { db, jobs } = this.#deps;
    const closed = await closedByImports(db);
    if (closed.length === 0) return;
    const { rows } = await jobs.reads.list({ kind: importRoomJob.name }, { limit: 1000 });
    const underWay = new Set(
      rows.filter((job) => !isFinished(job.state)).map((job) => job.result['room_nid']),
    );
    for (const roomNid of closed) if (!underWay.has(roomNid)) await abandonImport(db, roomNid);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
