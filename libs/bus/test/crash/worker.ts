import { sql } from 'kysely';

import { appendToLog, openDatabase, transact } from '@seneschal/database';
import { createLogger } from '@seneschal/observability';

import { Bus, handle } from '../../src/index.ts';
import { deposit, depositLog, passedLog } from '../fixture.ts';
import type { Step } from './steps.ts';

/**
 * A worker to be killed. It does deposits and follows their log, in two stages, and halts at the step that it
 * is told to: there it says so and goes no further until it is told to resume.
 */
const environment = (name: string): string => process.env[name] ?? '';

let halt: Step | undefined;
let resume = (): void => undefined;
process.on('message', (message: { halt?: Step; resume?: true }) => {
  if (message.resume === true) resume();
  else halt = message.halt;
});

async function at(step: Step): Promise<void> {
  if (halt !== step) return;
  halt = undefined;
  const resumed = new Promise<void>((resolve) => {
    resume = resolve;
  });
  process.send?.({ halted: step });
  await resumed;
}

const logger = createLogger('silent');
const database = openDatabase({
  url: environment('TEST_DATABASE_URL'),
  maxConnections: 12,
  applicationName: 'crash test',
  logger,
});
const db = database.tables();
const bus = await Bus.open({
  redisUrl: environment('TEST_REDIS_URL'),
  prefix: environment('TEST_PREFIX'),
  database,
  logger,
  concurrency: 8,
  pollMs: 50,
});

await bus.serve('userapi', [
  handle(deposit, async ({ account, amount }, context) => {
    await at('begun');
    const { output, position } = await transact(db, async (trx) => {
      const changed = await sql<{ balance: number }>`
        INSERT INTO balances AS b VALUES (${account}, ${amount}::int)
        ON CONFLICT (account) DO UPDATE SET balance = b.balance + ${amount}::int RETURNING balance
      `.execute(trx);
      const done = { balance: changed.rows[0]?.balance ?? 0 };
      await context.remember(trx, done);
      const last = await appendToLog(trx, depositLog.table, [{ account, amount }]);
      await at('written');
      return { output: done, position: last };
    });
    await at('committed');
    bus.wake(depositLog, position);
    await at('woken');
    return output;
  }),
]);

await bus.follow({
  name: 'deposit-first',
  log: depositLog,
  apply: async (trx, entries) => {
    await at('first begun');
    for (const { fact } of entries) {
      await sql`INSERT INTO first_applied VALUES (${fact.account}, ${fact.amount}::int)`.execute(trx);
    }
    await appendToLog(
      trx,
      passedLog.table,
      entries.map((entry) => entry.fact),
    );
    await at('first applied');
  },
  afterCommit: async () => {
    await at('first committed');
    bus.wake(passedLog, 0);
  },
});

await bus.follow({
  name: 'deposit-second',
  log: passedLog,
  apply: async (trx, entries) => {
    for (const { fact } of entries) {
      await sql`INSERT INTO second_applied VALUES (${fact.account}, ${fact.amount}::int)`.execute(trx);
    }
    await at('second applied');
  },
});

process.send?.({ ready: true });
