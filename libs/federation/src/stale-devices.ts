import type { CallBus } from '@seneschal/bus';
import { userapi } from '@seneschal/contracts';
import { isMatrixError, serverNameOf } from '@seneschal/matrix';
import type { Logger, Stoppable } from '@seneschal/observability';

export interface StaleDevicesDeps {
  bus: CallBus;
  refresh(userId: string): Promise<unknown>;
  logger: Pick<Logger, 'warn'>;
  /** How often due lists are looked for, in ms. */
  everyMs?: number;
}

/** Servers that are asked at the same time. */
const width = 16;

/**
 * Fetches stale device lists again when they are due: one at a time of each server, ever later after failures. A server
 * that does not answer holds up its own users alone.
 */
export class StaleDevices implements Stoppable {
  readonly #deps: StaleDevicesDeps;
  readonly #timer: NodeJS.Timeout;
  /** By server. */
  readonly #fetching = new Map<string, Promise<void>>();
  #running: Promise<void> | undefined;
  #look: (() => void) | undefined;
  #again = false;
  #stopped = false;

  constructor(deps: StaleDevicesDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.run(), deps.everyMs ?? 30_000);
    this.#timer.unref();
  }

  /** Fetches everything that is due by now. */
  run(): Promise<void> {
    this.#again = true;
    this.#look?.();
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    try {
      while (!this.#stopped) {
        this.#again = false;
        const isAny = await this.#claim();
        if (isAny || this.#isAskedAgain()) continue;
        if (this.#fetching.size === 0) return;
        await this.#change();
      }
    } catch (error) {
      this.#deps.logger.warn({ error }, 'stale device lists could not be looked for');
    }
    await Promise.all(this.#fetching.values());
  }

  #isAskedAgain(): boolean {
    return this.#again;
  }

  /** Begins to fetch lists of servers that are not being asked; false when none is due. */
  async #claim(): Promise<boolean> {
    const limit = width - this.#fetching.size;
    if (limit <= 0) return false;
    const exceptServers = [...this.#fetching.keys()];
    const { userIds } = await this.#deps.bus.call(userapi.claimDueDeviceLists, { limit, exceptServers });
    for (const userId of userIds) {
      const server = serverNameOf(userId) ?? userId;
      const fetching = this.#refresh(userId).finally(() => this.#fetching.delete(server));
      this.#fetching.set(server, fetching);
    }
    return userIds.length > 0;
  }

  /** Until a server has answered, or there may be more to do. */
  async #change(): Promise<void> {
    const asked = new Promise<void>((resolve) => {
      this.#look = resolve;
    });
    await Promise.race([...this.#fetching.values(), asked]);
    this.#look = undefined;
  }

  async #refresh(userId: string): Promise<void> {
    await this.#deps.refresh(userId).catch((error: unknown) => {
      // A server that does not answer is no fault of ours; the list keeps the reason.
      if (!isMatrixError(error)) this.#deps.logger.warn({ userId, error }, 'devices could not be fetched');
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#look?.();
    await this.#running;
  }
}
