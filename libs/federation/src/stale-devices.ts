import type { CallBus } from '@seneschal/bus';
import { userapi } from '@seneschal/contracts';
import { isMatrixError } from '@seneschal/matrix';
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

/** Fetches stale device lists again when they are due: one at a time of each server, ever later after failures. */
export class StaleDevices implements Stoppable {
  readonly #deps: StaleDevicesDeps;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
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
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    const { bus, logger } = this.#deps;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        const { userIds } = await bus.call(userapi.claimDueDeviceLists, { limit: width });
        await Promise.all(userIds.map((userId) => this.#refresh(userId)));
        if (userIds.length > 0) this.#again = true;
      }
    } catch (error) {
      logger.warn({ error }, 'stale device lists could not be looked for');
    }
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
    await this.#running;
  }
}
