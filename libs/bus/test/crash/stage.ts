import { join } from 'node:path';

import { type Kysely, sql } from 'kysely';

import { createLogTable } from '@seneschal/database';
import { Lifecycle, type Stoppable } from '@seneschal/observability';
import {
  type PrivateRedis,
  startBus,
  startPrivateRedis,
  startProcess,
  type TestDatabase,
  type TestProcess,
  withDatabase,
} from '@seneschal/testing';

import type { Bus } from '../../src/index.ts';
import { depositLog, passedLog } from '../fixture.ts';
import type { Step } from './steps.ts';

/** What is left of an account's deposits: in the table itself, and at both consumers. */
export interface Traces {
  balance: number;
  first: number[];
  second: number[];
}

/** A Redis to empty, a worker to kill, and a bus that calls it. */
export class CrashStage implements Stoppable {
  readonly bus: Bus;
  readonly redis: PrivateRedis;
  worker!: TestProcess;
  readonly #database: TestDatabase;
  readonly #db: Kysely<unknown>;
  readonly #lifecycle: Lifecycle;

  private constructor(parts: {
    bus: Bus;
    redis: PrivateRedis;
    database: TestDatabase;
    lifecycle: Lifecycle;
  }) {
    this.bus = parts.bus;
    this.redis = parts.redis;
    this.#database = parts.database;
    this.#db = parts.database.tables();
    this.#lifecycle = parts.lifecycle;
  }

  static async open(): Promise<CrashStage> {
    const lifecycle = new Lifecycle();
    const redis = lifecycle.add(await startPrivateRedis());
    const database = lifecycle.add(await withDatabase());
    const db = database.tables();
    await createLogTable(db, depositLog.table);
    await createLogTable(db, passedLog.table);
    await sql`CREATE TABLE balances (account text PRIMARY KEY, balance int NOT NULL)`.execute(db);
    await sql`CREATE TABLE first_applied (account text, amount int)`.execute(db);
    await sql`CREATE TABLE second_applied (account text, amount int)`.execute(db);
    const started = await startBus(database.database, { redisUrl: redis.url, prefix: 'crash' });
    lifecycle.add(started);
    const stage = new CrashStage({ bus: started.bus, redis, database, lifecycle });
    lifecycle.add({ stop: () => stage.worker.stop() });
    await stage.startWorker();
    return stage;
  }

  async startWorker(): Promise<void> {
    this.worker = await startProcess(join(import.meta.dirname, 'worker.ts'), {
      TEST_DATABASE_URL: this.#database.url,
      TEST_REDIS_URL: this.redis.url,
      TEST_PREFIX: 'crash',
    });
    await this.worker.next();
  }

  /** Settles when the worker has come to a step, and waits there. */
  async halted(): Promise<void> {
    await this.worker.next();
  }

  haltAt(step: Step): void {
    this.worker.send({ halt: step });
  }

  resume(): void {
    this.worker.send({ resume: true });
  }

  /** SIGKILL, and another worker in its place. */
  async replaceWorker(): Promise<void> {
    await this.worker.kill();
    await this.startWorker();
  }

  /** What there is of an account once both consumers have come to the end of their logs. */
  async traces(account: string): Promise<Traces> {
    while (!(await this.#isCaughtUp())) {
      // Asks again: the worker is another process.
    }
    const balance = await sql<{ balance: number }>`SELECT balance FROM balances
      WHERE account = ${account}`.execute(this.#db);
    const applied = async (table: string): Promise<number[]> => {
      const rows = await sql<{ amount: number }>`SELECT amount FROM ${sql.id(table)}
        WHERE account = ${account} ORDER BY amount`.execute(this.#db);
      return rows.rows.map((row) => row.amount);
    };
    return {
      balance: balance.rows[0]?.balance ?? 0,
      first: await applied('first_applied'),
      second: await applied('second_applied'),
    };
  }

  /** In one statement, so that all of it is of one moment. */
  async #isCaughtUp(): Promise<boolean> {
    const found = await sql<{ caught_up: boolean | null }>`SELECT
      (SELECT max(position) FROM deposit_output) =
        (SELECT position FROM bus_checkpoints WHERE consumer = 'deposit-first')
      AND (SELECT max(position) FROM passed_output) =
        (SELECT position FROM bus_checkpoints WHERE consumer = 'deposit-second') AS caught_up
    `.execute(this.#db);
    return found.rows[0]?.caught_up === true;
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}
