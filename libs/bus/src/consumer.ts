import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Kysely, sql, type Transaction } from 'kysely';

import type { EventLog } from '@seneschal/contracts';
import { type Database, lastPosition, transact } from '@seneschal/database';
import { inSpan, type Logger, type Span, type Stoppable, type Tracer } from '@seneschal/observability';

import { closeWorker } from './close-worker.ts';

/** One fact of a log, with its place. */
export interface LogEntry<Fact> {
  position: number;
  fact: Fact;
}

/**
 * Follows a log. `apply` runs in the transaction that also moves the checkpoint, so a batch is applied
 * exactly once whatever dies when; `afterCommit` tells others of it and may be lost or repeated. A consumer
 * without `apply` only tells, of what comes after it first began.
 */
export interface Consumer<Fact> {
  /** One of the log's `consumers`; also the name of its checkpoint. */
  readonly name: string;
  readonly log: EventLog<Fact>;
  /** How long to wait when woken, in ms, so that what comes one by one is applied together. */
  readonly lingerMs?: number;
  readonly apply?: (transaction: Transaction<unknown>, entries: readonly LogEntry<Fact>[]) => Promise<void>;
  afterCommit?(entries: readonly LogEntry<Fact>[]): Promise<void>;
}

interface WakeUp {
  position: number;
  /** The span that caused it, while anything is traced. */
  traceParent?: string;
}

interface Row {
  position: number;
  fact: unknown;
}

export interface ConsumerOptions {
  connection: Redis;
  prefix: string;
  database: Database;
  logger: Logger;
  tracer?: Tracer | undefined;
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
  #lingering: NodeJS.Timeout | undefined;
  #again = false;
  #stopped = false;
  /** The span of the wake-up that the next batches are applied for. */
  #cause: string | undefined;

  constructor(consumer: Consumer<Fact>, options: ConsumerOptions) {
    this.#consumer = consumer;
    this.#options = options;
    this.#db = options.database.tables();
    this.#worker = new Worker(wakeQueue(consumer.name), (job) => this.#woken(job.data as WakeUp), {
      connection: options.connection,
      prefix: options.prefix,
      concurrency: 8,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', (error) => options.logger.debug({ error: error.message }, 'consumer'));
    this.#poll = setInterval(() => void this.#look(), options.pollMs ?? 1000);
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
    await this.#beginCheckpoint();
    await this.catchUp();
  }

  async #beginCheckpoint(): Promise<void> {
    const { apply, log, name } = this.#consumer;
    const position = apply === undefined ? await lastPosition(this.#db, log.table) : 0;
    await sql`INSERT INTO bus_checkpoints (consumer, position) VALUES (${name}, ${position})
      ON CONFLICT DO NOTHING`.execute(this.#db);
  }

  /** The poll: one short query while there is nothing new. */
  async #look(): Promise<void> {
    const end = await lastPosition(this.#db, this.#consumer.log.table).catch(() => 0);
    if (end > (this.#checkpoint ?? 0)) await this.catchUp();
  }

  async #woken({ position, traceParent }: WakeUp): Promise<void> {
    if (position <= (this.#checkpoint ?? 0)) return;
    this.#cause ??= traceParent;
    const { lingerMs } = this.#consumer;
    if (lingerMs === undefined) return this.catchUp();
    this.#lingering ??= setTimeout(() => {
      this.#lingering = undefined;
      void this.catchUp();
    }, lingerMs);
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
        const parent = this.#cause;
        this.#cause = undefined;
        while (!this.#stopped && (await this.#applyTraced(parent))) {
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

  #applyTraced(parent: string | undefined): Promise<boolean> {
    const { name, log } = this.#consumer;
    const attributes = { 'messaging.system': 'postgresql', 'messaging.destination.name': log.table };
    const span = this.#options.tracer?.start(`consume ${name}`, { kind: 'consumer', parent, attributes });
    return inSpan(span, () => this.#applyBatch(span));
  }

  /** Applies one batch; false when there is nothing further to read. */
  async #applyBatch(span: Span | undefined): Promise<boolean> {
    const limit = this.#options.batchSize ?? 200;
    const entries = await this.#take(limit);
    span?.describe({ 'messaging.batch.message_count': entries.length });
    const last = entries.at(-1);
    if (last === undefined) return false;
    this.#checkpoint = last.position;
    await this.#consumer.afterCommit?.(entries).catch((error: unknown) => {
      this.#options.logger.warn({ consumer: this.#consumer.name, error }, 'a wake-up could not be passed on');
    });
    return entries.length === limit;
  }

  async #take(limit: number): Promise<LogEntry<Fact>[]> {
    const { apply } = this.#consumer;
    if (apply === undefined) return this.#takeAtOnce(limit);
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
    const found = await sql<{ position: number }>`SELECT position FROM bus_checkpoints
      WHERE consumer = ${this.#consumer.name} FOR UPDATE`.execute(transaction);
    const checkpoint = found.rows[0];
    if (checkpoint === undefined) throw new Error(`The checkpoint of ${this.#consumer.name} is gone.`);
    return checkpoint.position;
  }

  async #read(db: Kysely<unknown>, from: number, limit: number): Promise<LogEntry<Fact>[]> {
    const result = await sql<Row>`
      SELECT position, fact FROM ${sql.id(this.#consumer.log.table)}
      WHERE position > ${from} ORDER BY position LIMIT ${limit}
    `.execute(db);
    return result.rows.map((row) => this.#entryOf(row));
  }

  /** For those who only tell: reads the batch and moves the checkpoint behind it, in one statement. */
  async #takeAtOnce(limit: number): Promise<LogEntry<Fact>[]> {
    const { name, log } = this.#consumer;
    const result = await sql<Row>`
      WITH checkpoint AS MATERIALIZED (
        SELECT position FROM bus_checkpoints WHERE consumer = ${name} FOR UPDATE
      ), batch AS MATERIALIZED (
        SELECT entry.* FROM checkpoint CROSS JOIN LATERAL (
          SELECT position, fact FROM ${sql.id(log.table)}
          WHERE position > checkpoint.position ORDER BY position LIMIT ${limit}
        ) AS entry
      ), moved AS (
        UPDATE bus_checkpoints SET position = (SELECT max(position) FROM batch)
        WHERE consumer = ${name} AND EXISTS (SELECT FROM batch)
      )
      SELECT position, fact FROM batch ORDER BY position
    `.execute(this.#db);
    return result.rows.map((row) => this.#entryOf(row));
  }

  #entryOf({ position, fact }: Row): LogEntry<Fact> {
    return { position, fact: this.#consumer.log.fact.parse(fact) };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    clearTimeout(this.#lingering);
    await closeWorker(this.#worker, this.#options.connection, async () => this.#running);
    await this.#running;
  }
}
