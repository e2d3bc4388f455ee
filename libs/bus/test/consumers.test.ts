import { type Kysely, sql, type Transaction } from 'kysely';

import { appendToLog, createLogTable, lastPosition, transact } from '@seneschal/database';
import { createLogger, type Stoppable } from '@seneschal/observability';
import { startBus, type TestDatabase, uniqueName, withDatabase } from '@seneschal/testing';

import type { Bus, Consumer, LogEntry } from '../src/index.ts';
import { type Deposited, depositLog, gate } from './fixture.ts';

let database: TestDatabase;
let db: Kysely<unknown>;
let stops: (() => Promise<void>)[];
beforeEach(async () => {
  database = await withDatabase();
  db = database.tables();
  await createLogTable(db, depositLog.table);
  await sql`CREATE TABLE applied (position int, name text)`.execute(db);
  stops = [() => database.stop()];
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
});

const prefix = uniqueName();
async function openBus(pollMs: number, logs?: string[]): Promise<Bus> {
  const logger = createLogger('warn', { write: (line) => void logs?.push(line) });
  const started = await startBus(database.database, { prefix, pollMs, logger });
  stops.push(() => started.stop());
  return started.bus;
}

async function follow(bus: Bus, consumer: Consumer<Deposited>): Promise<Stoppable> {
  const follower = await bus.follow(consumer);
  stops.push(() => follower.stop());
  return follower;
}

const append = (count: number): Promise<number> =>
  transact(db, (trx) =>
    appendToLog(
      trx,
      depositLog.table,
      Array.from({ length: count }, (_, n) => ({ account: 'a', amount: n })),
    ),
  );

/** Notes what it applies, in no way that would hide a repetition. */
const note = (
  name: string,
  trx: Transaction<unknown>,
  entries: readonly LogEntry<Deposited>[],
): Promise<unknown> =>
  sql`INSERT INTO applied SELECT unnest(${entries.map((entry) => entry.position)}::int[]), ${name}`.execute(
    trx,
  );

const noting = (name: string, more: Partial<Consumer<Deposited>> = {}): Consumer<Deposited> => ({
  name: 'deposit-first',
  log: depositLog,
  apply: async (trx, entries) => {
    await note(name, trx, entries);
  },
  ...more,
});

const applied = async (): Promise<number[]> =>
  (await sql<{ position: number }>`SELECT position FROM applied ORDER BY position`.execute(db)).rows.map(
    (row) => row.position,
  );
const upTo = (last: number): number[] => Array.from({ length: last }, (_, n) => n + 1);
/** Longer than any test: the poll does not come to help. */
const never = 3_600_000;

describe('a consumer', () => {
  it('applies what it finds when it begins, and then what it is woken for', async () => {
    await append(3);
    const bus = await openBus(never);
    const told = gate();
    await follow(
      bus,
      noting('only', {
        afterCommit: async (entries) => (entries[0]?.position === 4 ? told.open() : undefined),
      }),
    );
    expect(await applied()).toEqual(upTo(3));
    bus.wake(depositLog, await append(2));
    await told.opened;
    expect(await applied()).toEqual(upTo(5));
  });

  it('that lingers applies together what comes one by one', async () => {
    const bus = await openBus(never);
    const sizes: number[] = [];
    const told = gate();
    const afterCommit: Consumer<Deposited>['afterCommit'] = async (entries) => {
      if (sizes.push(entries.length) > 0 && entries.at(-1)?.position === 6) told.open();
    };
    await follow(bus, noting('only', { lingerMs: 300, afterCommit }));
    for (let n = 0; n < 6; n += 1) bus.wake(depositLog, await append(1));
    await told.opened;
    expect(await applied()).toEqual(upTo(6));
    expect(sizes.length).toBeLessThan(6);
  });

  it('finds by itself what it was not woken for', async () => {
    const bus = await openBus(20);
    const told = gate();
    await follow(bus, noting('only', { afterCommit: async () => told.open() }));
    await append(1);
    await told.opened;
    expect(await applied()).toEqual([1]);
  });

  it('goes on where it was when it begins again', async () => {
    const bus = await openBus(never);
    const first = await follow(bus, noting('first'));
    await append(2);
    await bus.catchUp();
    await first.stop();
    await append(2);
    await follow(bus, noting('second'));
    expect(await applied()).toEqual(upTo(4));
    const names = await sql<{ name: string }>`SELECT name FROM applied ORDER BY position`.execute(db);
    expect(names.rows.map((row) => row.name)).toEqual(['first', 'first', 'second', 'second']);
  });

  it('takes a batch back whole when it fails, says so, and tries it again', async () => {
    const logs: string[] = [];
    const bus = await openBus(never, logs);
    let failures = 2;
    const apply: Consumer<Deposited>['apply'] = async (trx, entries) => {
      await note('only', trx, entries);
      if ((failures -= 1) >= 0) throw new Error(`failure ${failures}`);
    };
    await append(3);
    await follow(bus, noting('only', { apply }));
    expect(await applied()).toEqual([]);
    await bus.catchUp();
    expect([await applied(), logs.length]).toEqual([[], 2]);
    expect(logs.join()).toContain('failure 1');
    await bus.catchUp();
    expect(await applied()).toEqual(upTo(3));
  });

  it('goes on when others cannot be told after the commit', async () => {
    const bus = await openBus(never);
    await append(2);
    await follow(bus, noting('only', { afterCommit: () => Promise.reject(new Error('Redis is away')) }));
    await append(1);
    await bus.catchUp();
    expect(await applied()).toEqual(upTo(3));
  });

  it('refuses a fact that is not of its log, and does not pass it by', async () => {
    const logs: string[] = [];
    const bus = await openBus(never, logs);
    await transact(db, (trx) => appendToLog(trx, depositLog.table, [{ something: 'else' }]));
    await append(1);
    await follow(bus, noting('only'));
    expect([await applied(), logs.length]).toEqual([[], 1]);
  });

  it('reads large logs in batches, each in a transaction of its own', async () => {
    const bus = await openBus(never);
    const sizes: number[] = [];
    await append(450);
    await follow(bus, noting('only', { afterCommit: async (entries) => void sizes.push(entries.length) }));
    expect([sizes, await applied()]).toEqual([[200, 200, 50], upTo(450)]);
  });
});

describe('two processes that follow as one consumer', () => {
  it('apply each fact once between them, in order', async () => {
    const buses = [await openBus(5), await openBus(5)];
    for (const [index, bus] of buses.entries()) await follow(bus, noting(`process ${index}`));
    for (let n = 0; n < 40; n += 1) buses[n % 2]?.wake(depositLog, await append(5));
    await Promise.all(buses.map((bus) => bus.catchUp()));
    expect(await applied()).toEqual(upTo(200));
    expect(await lastPosition(db, depositLog.table)).toBe(200);
  });
});

describe('a consumer that only tells', () => {
  const listening = (told: number[]): Consumer<Deposited> => ({
    name: 'deposit-first',
    log: depositLog,
    afterCommit: async (entries) => void told.push(...entries.map((entry) => entry.position)),
  });

  it('tells of what comes after it first began, and later goes on where it was', async () => {
    await append(3);
    const bus = await openBus(never);
    const told: number[] = [];
    const first = await follow(bus, listening(told));
    await append(250);
    await bus.catchUp();
    await first.stop();
    await append(2);
    await follow(bus, listening(told));
    expect(told).toEqual(upTo(255).slice(3));
  });

  it('tells once, however many processes follow', async () => {
    const buses = [await openBus(5), await openBus(5)];
    const told: number[] = [];
    for (const bus of buses) await follow(bus, listening(told));
    for (let n = 0; n < 40; n += 1) buses[n % 2]?.wake(depositLog, await append(5));
    await Promise.all(buses.map((bus) => bus.catchUp()));
    expect(told.sort((a, b) => a - b)).toEqual(upTo(200));
  });

  it('does not let a fact that nobody can read stand in the way', async () => {
    const logs: string[] = [];
    const bus = await openBus(never, logs);
    const told: number[] = [];
    await follow(bus, listening(told));
    await transact(db, (trx) => appendToLog(trx, depositLog.table, [{ something: 'else' }]));
    await bus.catchUp();
    await append(1);
    await bus.catchUp();
    expect([told, logs.length]).toEqual([[2], 1]);
  });
});
