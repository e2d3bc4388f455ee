import { randomBytes } from 'node:crypto';

import { Queue, Worker } from 'bullmq';
import type { Kysely } from 'kysely';

import { type Bus, closeWorker } from '@seneschal/bus';
import { type Database, migrate } from '@seneschal/database';
import { Lifecycle, type Logger, type Stoppable } from '@seneschal/observability';

import {
  cleanDeliveries,
  countDeliveries,
  type Delivery,
  type DeliveryCount,
  type DeliveryFilter,
  insertDeliveries,
  listDeliveries,
  retryDelivery,
} from './deliveries.ts';
import { Lane } from './lane.ts';
import { webhooksMigrations } from './migrations.ts';
import { type Receiver, receiversOf, type WebhooksConfig } from './receivers.ts';
import { beginCheckpoints, collectFacts, collectTroubles } from './sources.ts';

export interface WebhooksOptions {
  bus: Pick<Bus, 'redis' | 'workers' | 'prefix' | 'lag'>;
  database: Database;
  logger: Logger;
  config: WebhooksConfig;
  /** How often facts and due deliveries are looked for without being woken, in ms. */
  pollMs?: number;
  /** How long a receiver may take, in ms. */
  timeoutMs?: number;
}

const queueName = 'webhooks';
const usualPollMs = 1000;
const troublesEveryMs = 15_000;
const cleanEveryMs = 600_000;

/** Tells configured receivers of what happens. The table of deliveries is the truth, BullMQ says when to look at it. */
export class Webhooks implements Stoppable {
  readonly receivers: readonly Receiver[];
  readonly #options: WebhooksOptions;
  readonly #db: Kysely<unknown>;
  readonly #queue: Queue;

  private constructor(options: WebhooksOptions) {
    this.#options = options;
    this.#db = options.database.tables();
    this.receivers = receiversOf(options.config);
    this.#queue = new Queue(queueName, {
      connection: options.bus.redis,
      prefix: options.bus.prefix,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.#queue.on('error', () => undefined);
  }

  /** Brings the tables up to date. */
  static async open(options: WebhooksOptions): Promise<Webhooks> {
    await migrate(options.database, 'webhooks', webhooksMigrations);
    return new Webhooks(options);
  }

  list(
    filter: DeliveryFilter,
    page: { after: { ts: number; id: string } | undefined; limit: number },
  ): Promise<Delivery[]> {
    return listDeliveries(this.#db, filter, page);
  }

  counts(): Promise<DeliveryCount[]> {
    return countDeliveries(this.#db);
  }

  /** See `retryDelivery`. */
  async retry(id: string): Promise<Delivery> {
    const delivery = await retryDelivery(this.#db, id, this.receivers);
    this.#wake();
    return delivery;
  }

  /** Sends every receiver a `ping`; answers how many there are. */
  async ping(requestedBy: string): Promise<number> {
    const id = `ping/${randomBytes(9).toString('base64url')}`;
    const event = { id, type: 'ping', ts: Date.now(), data: { requested_by: requestedBy } } as const;
    const made = await insertDeliveries(this.#db, this.#options.config.server_name, this.receivers, [event]);
    this.#wake();
    return made;
  }

  /** Delivers in this process until the service is stopped; without a receiver there is nothing to do. */
  async serve(): Promise<Stoppable> {
    const { config, bus, logger, timeoutMs } = this.#options;
    const secret = config.webhook_secret;
    const lifecycle = new Lifecycle();
    if (this.receivers.length === 0 || secret === null) return lifecycle;
    await beginCheckpoints(this.#db);
    const sender = {
      secret,
      allowedNetworks: config.webhook_allowed_networks,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
    const lanes = this.receivers.map((receiver) =>
      lifecycle.add(new Lane({ db: this.#db, logger, receiver, sender })),
    );
    const deps = {
      database: this.#options.database,
      bus,
      serverName: config.server_name,
      receivers: this.receivers,
    };
    const run = (): void => {
      for (const lane of lanes) void lane.run();
    };
    const look = once(async (): Promise<void> => {
      await collectFacts(deps);
      run();
    }, logger);
    const troubles = once(async () => {
      await collectTroubles(deps);
    }, logger);
    const clean = once(() => cleanDeliveries(this.#db, this.receivers, config.job_retention), logger);
    lifecycle.add(every(this.#options.pollMs ?? usualPollMs, look));
    lifecycle.add(every(troublesEveryMs, troubles));
    lifecycle.add(every(cleanEveryMs, clean));
    lifecycle.add(this.#listen(look));
    await Promise.all([look(), troubles(), clean()]);
    return lifecycle;
  }

  #listen(look: () => Promise<void>): Stoppable {
    const { workers: connection, prefix } = this.#options.bus;
    const worker = new Worker(queueName, () => look(), {
      connection,
      prefix,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on('error', (error) => this.#options.logger.debug({ error: error.message }, 'webhooks'));
    return { stop: () => closeWorker(worker, connection, () => Promise.resolve()) };
  }

  /** Not waited for: what Redis does not pass on is found by the poll. With nobody to tell nobody is woken. */
  #wake(): void {
    if (this.receivers.length > 0) this.#queue.add('wake', {}).catch(() => undefined);
  }

  async stop(): Promise<void> {
    await this.#queue.close();
  }
}

/** Runs `work` once at a time; what fails is logged, and the next round tries again. */
function once(work: () => Promise<void>, logger: Logger): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work()
      .catch((error: unknown) => logger.warn({ error }, 'webhooks could not be prepared'))
      .finally(() => {
        running = undefined;
      });
    return running;
  };
}

function every(ms: number, work: () => Promise<void>): Stoppable {
  const timer = setInterval(() => void work(), ms);
  return {
    stop: async () => {
      clearInterval(timer);
    },
  };
}
