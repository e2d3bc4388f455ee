import type { Kysely } from 'kysely';

import type { Logger, Stoppable } from '@seneschal/observability';

import { claimDeliveries, type Delivery, settleDelivery } from './deliveries.ts';
import type { Receiver } from './receivers.ts';
import { Sender, type SenderOptions } from './send.ts';

export interface LaneDeps {
  db: Kysely<unknown>;
  logger: Logger;
  receiver: Receiver;
  sender: SenderOptions;
}

/** Deliveries to one receiver that are under way at the same time. */
const width = 4;

/** The deliveries to one receiver: each receiver has a lane of its own, so a dead one delays nobody else. */
export class Lane implements Stoppable {
  readonly #deps: LaneDeps;
  readonly #sender: Sender;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
    this.#sender = new Sender(deps.sender);
  }

  /** Sends everything that is due by now. */
  run(): Promise<void> {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    const { db, logger, receiver } = this.#deps;
    try {
      while (!this.#stopped) {
        const due = await claimDeliveries(db, receiver.id, width);
        if (due.length === 0) return;
        await Promise.all(due.map((delivery) => this.#deliver(delivery)));
      }
    } catch (error) {
      logger.warn({ receiver: receiver.origin, error }, 'webhooks could not be looked for');
    }
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { db, logger, receiver } = this.#deps;
    const outcome = await this.#sender.send(receiver.url, delivery);
    if (!outcome.ok) {
      const { delivery_id: id, type, attempts } = delivery;
      const { status, error } = outcome;
      logger.warn(
        { receiver: receiver.origin, id, type, attempts, status, reason: error },
        'a webhook failed',
      );
    }
    await settleDelivery(db, delivery, outcome);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#sender.stop();
  }
}
