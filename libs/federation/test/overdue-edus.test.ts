import { type TestDatabase, withDatabase } from '@seneschal/testing';
import { sql } from 'kysely';

import { federationMigrations } from '../src/index.ts';
import { EduTrim } from '../src/sending/edu-trim.ts';
import { enqueueEdus } from '../src/storage/edus.ts';
import { dropOverdueEdus } from '../src/storage/overdue-edus.ts';
import { recordFailure } from '../src/storage/queue.ts';
import type { FederationTables } from '../src/storage/tables.ts';

const day = 86_400_000;
const now = Date.now();

let test: TestDatabase;
beforeEach(async () => {
  test = await withDatabase({ federation: federationMigrations });
});
afterEach(() => test.stop());

const db = () => test.tables<FederationTables>();

/** Messages to devices of these servers, and one change of a device of each of so many users. */
async function queue(given: { destinations: string[]; messages?: number; users?: number; ageMs?: number }) {
  const { destinations, messages = 0, users = 0, ageMs = 0 } = given;
  const edus = [
    ...Array.from({ length: messages }, () => ({ type: 'm.direct_to_device', subject: null })),
    ...Array.from({ length: users }, (_, n) => ({ type: 'm.device_list_update', subject: `@${n}:here` })),
  ].map((edu) => ({ ...edu, content: {}, destinations }));
  await db()
    .transaction()
    .execute((trx) => enqueueEdus(trx, edus));
  await sql`UPDATE federation_edus SET queued_ts = ${now - ageMs} WHERE queued_ts >= ${now - 1000}`.execute(
    db(),
  );
}

const fail = (server: string) => recordFailure(db(), server, { error: 'x', now, waitMs: () => day });

/** What waits for a server: how many messages, and how many changes. */
async function waiting(server: string): Promise<[number, number]> {
  const { rows } = await sql<{ messages: number; changes: number }>`
    SELECT count(*) FILTER (WHERE subject IS NULL) AS messages, count(subject) AS changes
    FROM federation_edu_queue JOIN federation_edus USING (edu_id) WHERE server_name = ${server}`.execute(
    db(),
  );
  return [rows[0]?.messages ?? 0, rows[0]?.changes ?? 0];
}

const texts = async (): Promise<number> =>
  (await db().selectFrom('federation_edus').select('edu_id').execute()).length;

describe('messages to devices of a server that does not answer', () => {
  it('are dropped when there are too many, the oldest first, and changes of devices never', async () => {
    await queue({ destinations: ['dead.test'], messages: 5, users: 3 });
    const before = await db().selectFrom('federation_edus').select('edu_id').orderBy('edu_id').execute();
    await fail('dead.test');
    expect(await dropOverdueEdus(db(), { before: now - 30 * day, most: 2 })).toEqual(
      new Map([['dead.test', 3]]),
    );
    expect(await waiting('dead.test')).toEqual([2, 3]);
    const after = await db().selectFrom('federation_edus').select('edu_id').orderBy('edu_id').execute();
    expect(after).toEqual(before.slice(3));
    expect(await dropOverdueEdus(db(), { before: now - 30 * day, most: 2 })).toEqual(new Map());
  });

  it('are dropped when they are too old', async () => {
    await queue({ destinations: ['dead.test'], messages: 2, users: 1, ageMs: 31 * day });
    await queue({ destinations: ['dead.test'], messages: 4, users: 2, ageMs: 29 * day });
    await fail('dead.test');
    expect(await dropOverdueEdus(db(), { before: now - 30 * day, most: 100 })).toEqual(
      new Map([['dead.test', 2]]),
    );
    expect(await waiting('dead.test')).toEqual([4, 2]);
  });

  it('stay for the servers that answer, and their texts for all that wait', async () => {
    await queue({ destinations: ['dead.test', 'slow.test'], messages: 5, ageMs: 31 * day });
    await fail('dead.test');
    await dropOverdueEdus(db(), { before: now - 30 * day, most: 2 });
    expect([await waiting('dead.test'), await waiting('slow.test')]).toEqual([
      [0, 0],
      [5, 0],
    ]);
    expect(await texts()).toBe(5);
    await fail('slow.test');
    await dropOverdueEdus(db(), { before: now - 30 * day, most: 2 });
    expect(await texts()).toBe(0);
  });

  it('are dropped however many they are, counted, and told of once for each server', async () => {
    await queue({ destinations: ['gone.test'], messages: 10, ageMs: 31 * day });
    await queue({ destinations: ['dead.test'], messages: 2300 });
    await Promise.all([fail('dead.test'), fail('gone.test')]);
    const warnings: object[] = [];
    const counts: number[] = [];
    const logger = { warn: (fact: object) => void warnings.push(fact) } as never;
    const dropped = (count: number): void => void counts.push(count);
    const trim = new EduTrim({ db: db(), logger, dropped, keepMs: 30 * day, most: 100 });
    await Promise.all([trim.run(), trim.run()]);
    await trim.stop();
    expect(warnings).toEqual([
      { serverName: 'dead.test', count: 2200 },
      { serverName: 'gone.test', count: 10 },
    ]);
    expect(counts).toEqual([2200, 10]);
    expect([await waiting('dead.test'), await waiting('gone.test')]).toEqual([
      [100, 0],
      [0, 0],
    ]);
  });
});
