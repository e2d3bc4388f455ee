import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Kysely, sql, type Transaction } from 'kysely';

import type { EventLog } from '@seneschal/contracts';
import { type Database, lastPosition, transact } from '@seneschal/database';
import type { Logger, Stoppable } from '@seneschal/observability';

import { closeWorker } from './close-worker.ts';

/** One fact of a log, with its place. */
export interface LogEntry<Fact> {
  position: number;
  fact: Fact;
}

/**
 * Follows a log. `apply` runs in the transaction that also moves the checkpoint, so a batch is applied
 * exactly once whatever dies when; `afterCommit` tells others of it and may be lost or repeated. Without
 * `apply` nothing depends on the checkpoint, which is then only kept in memory.
 */
export interface Consumer<Fact> {
  /** One of the log's `consumers`; also the name of its checkpoint. */
  readonly name: string;
  readonly log: EventLog<Fact>;
  readonly apply?: (transaction: Transaction<unknown>, entries: readonly LogEntry<Fact>[]) => Promise<void>;
  afterCommit?(entries: readonly LogEntry<Fact>[]): Promise<void>;
}

export interface ConsumerOptions {
  connection: Redis;
  prefix: string;
  database: Database;
  logger: Logger;
  /** Entries in one transaction at the most. */
  batchSize?: number;
  /** How often the log is looked at without being woken, in ms: what heals a lost wake-up. */
  pollMs?: number;
}

/** The queue that wakes a consumer. */
export function wakeQueue(consumer: string): string {
  return `wake-${consumer}`;
}

/** Runs one consumer of a log: woken over BullMQ, with a slow poll for wake-ups that Redis lost. */
export class LogFollower<Fact> implements Stoppable {
  readonly #consumer: Consumer<Fact>;
  readonly #options: ConsumerOptions;
  readonly #db: Kysely<unknown>;
  readonly #worker: Worker;
  readonly #poll: NodeJS.Timeout;
  #checkpoint: number | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(consumer: Consumer<Fact>, options: ConsumerOptions) {
    this.#consumer = consumer;
    this.#options = options;
    this.#db = options.database.tables();
    this.#worker = new Worker(
      wakeQueue(consumer.name),
      (job) => this.#woken(job.data as { position: number }),
      {
        connection: options.connection,
        prefix: options.prefix,
        concurrency: 8,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
    );
    this.#worker.on('error', (error) => options.logger.debug({ error: error.message }, 'consumer'));
    this.#poll = setInterval(() => void this.catchUp(), options.pollMs ?? 1000);
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
    await this.catchUp();
  }

  async #woken({ position }: { position: number }): Promise<void> {
    if (position > (this.#checkpoint ?? 0)) await this.catchUp();
  }

  /** Applies everything that the log holds by now. Errors are logged; the next poll tries again. */
  async catchUp(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#drain().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    try {
      do {
        this.#again = false;
        while (!this.#stopped && (await this.#applyBatch())) {
          // Until the log is empty.
        }
      } while (this.#wasAskedAgain());
    } catch (error) {
      this.#options.logger.error(
        { consumer: this.#consumer.name, error },
        'a consumer could not apply its batch',
      );
    }
  }

  #wasAskedAgain(): boolean {
    return this.#again && !this.#stopped;
  }

  /** Applies one batch; false when there is nothing further to read. */
  async #applyBatch(): Promise<boolean> {
    const limit = this.#options.batchSize ?? 200;
    const entries = await this.#take(limit);
    const last = entries.at(-1);
    if (last === undefined) return false;
    this.#checkpoint = last.position;
    await this.#consumer.afterCommit?.(entries).catch((error: unknown) => {
      this.#options.logger.warn({ consumer: this.#consumer.name, error }, 'a wake-up could not be passed on');
    });
    return entries.length === limit;
  }

  async #take(limit: number): Promise<LogEntry<Fact>[]> {
    const { apply, log } = this.#consumer;
    if (apply === undefined) {
      this.#checkpoint ??= await lastPosition(this.#db, log.table);
      return this.#read(this.#db, this.#checkpoint, limit);
    }
    return transact(this.#db, async (transaction) => {
      const from = await this.#lockCheckpoint(transaction);
      this.#checkpoint = from;
      const batch = await this.#read(transaction, from, limit);
      const last = batch.at(-1);
      if (last === undefined) return batch;
      await apply(transaction, batch);
      await sql`UPDATE bus_checkpoints SET position = ${last.position}
        WHERE consumer = ${this.#consumer.name}`.execute(transaction);
      return batch;
    });
  }

  /** Takes the checkpoint's row lock: one process at a time applies, the others wait and then see its work. */
  async #lockCheckpoint(transaction: Transaction<unknown>): Promise<number> {
    const lock = sql<{ position: number }>`SELECT position FROM bus_checkpoints
      WHERE consumer = ${this.#consumer.name} FOR UPDATE`;
    const found = (await lock.execute(transaction)).rows[0];
    if (found !== undefined) return found.position;
    await sql`INSERT INTO bus_checkpoints (consumer, position) VALUES (${this.#consumer.name}, 0)
      ON CONFLICT DO NOTHING`.execute(transaction);
    return (await lock.execute(transaction)).rows[0]?.position ?? 0;
  }

  async #read(db: Kysely<unknown>, from: number, limit: number): Promise<LogEntry<Fact>[]> {
    const result = await sql<{ position: number; fact: unknown }>`
      SELECT position, fact FROM ${sql.id(this.#consumer.log.table)}
      WHERE position > ${from} ORDER BY position LIMIT ${limit}
    `.execute(db);
    return result.rows.map((row) => ({
      position: row.position,
      fact: this.#consumer.log.fact.parse(row.fact),
    }));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    await closeWorker(this.#worker, this.#options.connection, async () => this.#running);
    await this.#running;
  }
}
