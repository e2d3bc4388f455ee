import { purgeRoomsJob } from '@seneschal/contracts';
import type { Jobs } from '@seneschal/jobs';
import type { Logger, Stoppable } from '@seneschal/observability';

export interface PurgePolicyDeps {
  jobs: Pick<Jobs, 'start'>;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** After so long without a local member and without an event rooms are purged, in ms. */
  emptyMs: number;
  /** How often, in ms. */
  everyMs: number;
  /** Rooms in one run at the most. */
  limit: number;
  exclude: readonly string[];
  now?: () => number;
}

const lookMs = 60_000;
const dayMs = 86_400_000;

/**
 * Purges rooms that nobody needs any more, on a schedule. Every worker process looks; the runs are numbered by
 * the time, and the number is the idempotency key, so each run is one job whoever starts it.
 */
export class PurgePolicy implements Stoppable {
  readonly #deps: PurgePolicyDeps;
  readonly #timer: NodeJS.Timeout;
  #last = -1;
  #looking: Promise<void> | undefined;

  constructor(deps: PurgePolicyDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.look(), lookMs);
    void this.look();
  }

  async look(): Promise<void> {
    this.#looking ??= this.#start()
      .catch((error: unknown) => this.#deps.logger.warn({ error }, 'the purge policy could not be followed'))
      .finally(() => {
        this.#looking = undefined;
      });
    await this.#looking;
  }

  async #start(): Promise<void> {
    const { jobs, logger, emptyMs, everyMs, limit, exclude, now } = this.#deps;
    const run = Math.floor((now ?? Date.now)() / everyMs);
    if (run === this.#last) return;
    const input = {
      filter: { emptyForDays: emptyMs / dayMs },
      exclude: [...exclude],
      limit,
      block: false,
      evacuate: true,
      export: false,
    };
    const idempotencyKey = `policy ${run}`;
    const { jobId, isNew } = await jobs.start(purgeRoomsJob, input, {
      requestedBy: 'purge policy',
      idempotencyKey,
    });
    this.#last = run;
    if (isNew) logger.info({ jobId }, 'empty rooms are being purged, as the policy says');
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }
}
