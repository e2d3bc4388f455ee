import { type TestDatabase, withDatabase } from '@seneschal/testing';
import { sql } from 'kysely';

import { federationMigrations } from '../src/index.ts';
import { noteLags, queueTotals } from '../src/storage/lag.ts';
import { enqueue, recordFailure } from '../src/storage/queue.ts';
import type { FederationTables } from '../src/storage/tables.ts';

const minute = 60_000;
const now = Date.now();
const afterMs = 10 * minute;

let test: TestDatabase;
beforeEach(async () => {
  test = await withDatabase({ federation: federationMigrations });
});
afterEach(() => test.stop());

const db = () => test.tables<FederationTables>();
const note = (at = now) => noteLags(db(), { now: at, afterMs });

async function wait(position: number, destinations: string[], ageMs: number): Promise<void> {
  const event = { position, roomId: '!r:x.test', json: '{}', destinations };
  await db()
    .transaction()
    .execute((transaction) => enqueue(transaction, [event]));
  const queued = now - ageMs;
  await sql`UPDATE federation_outgoing SET queued_ts = ${queued} WHERE position = ${position}`.execute(db());
}

const deliver = (serverName: string) =>
  sql`DELETE FROM federation_queue WHERE server_name = ${serverName}`.execute(db());

describe('a server that is behind', () => {
  it('is told of once in an episode, with since when, how much and why, and its end as well', async () => {
    await wait(1, ['slow.test', 'quick.test'], 20 * minute);
    await wait(2, ['slow.test'], 5 * minute);
    await deliver('quick.test');
    await recordFailure(db(), 'slow.test', { error: 'It answered 502.', now, waitMs: () => minute });
    expect(await note()).toEqual([
      {
        kind: 'destination_lagging',
        destination: 'slow.test',
        sinceTs: now - 20 * minute,
        lagMs: 20 * minute,
        pdus: 2,
        failures: 1,
        lastError: 'It answered 502.',
      },
    ]);
    expect(await note(now + minute)).toEqual([]);
    await deliver('slow.test');
    const end = { destination: 'slow.test', sinceTs: now - 20 * minute, lagMs: 22 * minute };
    expect(await note(now + 2 * minute)).toEqual([{ kind: 'destination_recovered', ...end }]);
    expect(await note(now + 2 * minute)).toEqual([]);
    await wait(3, ['slow.test'], 11 * minute);
    expect(await note()).toMatchObject([{ kind: 'destination_lagging', sinceTs: now - 11 * minute }]);
    const facts = await sql`SELECT fact FROM federation_output ORDER BY position`.execute(db());
    expect(facts.rows).toHaveLength(3);
  });

  it('is not one whose events wait for less', async () => {
    await wait(1, ['slow.test'], 9 * minute);
    expect(await note()).toEqual([]);
  });

  it('is told of once also when several processes look at the same time', async () => {
    await wait(1, ['a.test', 'b.test'], 20 * minute);
    const found = await Promise.all([note(), note(), note()]);
    expect(found.flat().map(({ destination }) => destination)).toEqual(['a.test', 'b.test']);
  });
});

describe('the queue in all', () => {
  it('is counted once for each server, and as old as its oldest event', async () => {
    expect(await queueTotals(db())).toEqual({ states: [], pdus: 0, edus: 0, oldestTs: null });
    await wait(1, ['a.test', 'b.test'], minute);
    await wait(2, ['a.test', 'c.test'], 0);
    await deliver('c.test');
    await recordFailure(db(), 'a.test', { error: 'It answered 502.', now, waitMs: () => minute });
    const { states, pdus, oldestTs } = await queueTotals(db());
    expect([pdus, oldestTs]).toEqual([3, now - minute]);
    expect(states.map(({ state, count }) => `${state} ${count}`).sort()).toEqual([
      'backing_off 1',
      'idle 1',
      'sending 1',
    ]);
  });
});
