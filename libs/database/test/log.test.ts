import { type Kysely, sql } from 'kysely';

import type { TestDatabase } from '@seneschal/testing';

import { allotPositions, appendToLog, transact } from '../src/index.ts';
import { end, gate, readAfter, someoneWaits, withLogs } from './fixture.ts';

const log = 'first_output';
const append = (db: Kysely<unknown>, fact: object): Promise<number> =>
  transact(db, (transaction) => appendToLog(transaction, log, [fact]));

describe('a log', () => {
  let database: TestDatabase;
  let db: Kysely<unknown>;
  beforeEach(async () => {
    database = await withLogs();
    db = database.tables();
  });
  afterEach(() => database.stop());

  it('is at 0 while it is empty, and then at its last fact', async () => {
    expect(await end(db)).toBe(0);
    const last = await transact(db, (transaction) => appendToLog(transaction, log, [{ n: 1 }, { n: 2 }]));
    expect(await end(db)).toBe(last);
    const facts = await sql<{ fact: unknown }>`SELECT fact FROM first_output ORDER BY position`.execute(db);
    expect(facts.rows.map((row) => row.fact)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('lets nobody commit a position while an earlier one is not committed', async () => {
    const [held, allotted] = [gate(), gate()];
    const early = transact(db, async (transaction) => {
      const position = await appendToLog(transaction, log, [{ who: 'early' }]);
      allotted.open();
      await held.opened;
      return position;
    });
    await allotted.opened;
    const late = append(db, { who: 'late' });
    await someoneWaits(db);
    expect(await end(db)).toBe(0);
    held.open();
    expect(await late).toBeGreaterThan(await early);
    expect(await readAfter(db, 0)).toEqual([await early, await late]);
  });

  it('skips no fact for a reader who reads all the while', async () => {
    const read: number[] = [];
    const writing = { done: false };
    const reader = (async (): Promise<void> => {
      for (let isLast = false; !isLast;) {
        isLast = writing.done;
        read.push(...(await readAfter(db, read.at(-1) ?? 0)));
      }
    })();
    const written = await Promise.all(Array.from({ length: 200 }, (_, n) => writeOrFail(db, n)));
    writing.done = true;
    await reader;
    const committed = written.flatMap((position) => position ?? []).sort((a, b) => a - b);
    expect(committed).toHaveLength(150);
    expect(read).toEqual(committed);
  });

  it('gives positions in order, as many as asked for', async () => {
    const positions = await transact(db, (transaction) => allotPositions(transaction, log, 5));
    expect(positions).toEqual([1, 2, 3, 4, 5]);
    expect(await transact(db, (transaction) => allotPositions(transaction, log, 0))).toEqual([]);
  });

  it('does not hold up another log', async () => {
    await transact(db, async (transaction) => {
      await appendToLog(transaction, log, [{}]);
      await transact(db, (other) => appendToLog(other, 'second_output', [{}]));
    });
    expect(await end(db)).toBe(1);
  });
});

/** Every fourth transaction fails after its position was allotted, which leaves a hole. */
async function writeOrFail(db: Kysely<unknown>, n: number): Promise<number | undefined> {
  const failure = new Error('rolled back');
  return transact(db, async (transaction) => {
    const position = await appendToLog(transaction, log, [{ n }]);
    if (n % 4 === 0) throw failure;
    return position;
  }).catch((error: unknown) => {
    if (error !== failure) throw error;
    return undefined;
  });
}
