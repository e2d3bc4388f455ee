import { type Kysely, sql } from 'kysely';
import { z } from 'zod';

import { command } from '@seneschal/contracts';
import { transact } from '@seneschal/database';
import { forbidden, MatrixError } from '@seneschal/matrix';
import { activeTraceId, createLogger, type Stoppable, withTrace } from '@seneschal/observability';
import { startBus, type TestDatabase, uniqueName, withDatabase } from '@seneschal/testing';

import { type Bus, type CommandContext, handle, type Handler } from '../src/index.ts';
import { deposit, gate, greet } from './fixture.ts';

let database: TestDatabase;
let db: Kysely<unknown>;
let started: { bus: Bus } & Stoppable;
let serving: Stoppable | undefined;
const logs: string[] = [];
beforeAll(async () => {
  database = await withDatabase();
  db = database.tables();
  await sql`CREATE TABLE balances (account text PRIMARY KEY, balance int NOT NULL)`.execute(db);
});
afterAll(() => database.stop());
beforeEach(async () => {
  const logger = createLogger('error', { write: (line) => void logs.push(line) });
  started = await startBus(database.database, { logger });
});
afterEach(async () => {
  await serving?.stop();
  serving = undefined;
  logs.length = 0;
  await started.stop();
});

async function serve(...handlers: Handler[]): Promise<void> {
  serving = await started.bus.serve('userapi', handlers);
}

const greeting = handle(greet, async ({ name }) => ({ greeting: `Hello ${name}` }));
const failing = (error: unknown): Handler =>
  handle(greet, async () => {
    throw error;
  });

/** A deposit that is remembered; `before` runs before anything is written. */
const depositing = (before: (context: CommandContext) => Promise<void> = async () => undefined): Handler =>
  handle(deposit, async (input, context) => {
    await before(context);
    return transact(db, async (trx) => {
      const changed = await sql<{ balance: number }>`
        INSERT INTO balances AS b VALUES (${input.account}, ${input.amount}::int)
        ON CONFLICT (account) DO UPDATE SET balance = b.balance + ${input.amount}::int RETURNING balance
      `.execute(trx);
      const output = { balance: changed.rows[0]?.balance ?? 0 };
      await context.remember(trx, output);
      return output;
    });
  });

const balance = async (account: string): Promise<number | undefined> =>
  (await sql<{ balance: number }>`SELECT balance FROM balances WHERE account = ${account}`.execute(db))
    .rows[0]?.balance;

describe('a reply', () => {
  it('comes back typed', async () => {
    await serve(greeting);
    expect(await started.bus.call(greet, { name: 'Alice' })).toEqual({ greeting: 'Hello Alice' });
  });

  it('finds its own caller among many', async () => {
    await serve(greeting);
    const names = Array.from({ length: 100 }, (_, n) => `user${n}`);
    const replies = await Promise.all(names.map((name) => started.bus.call(greet, { name })));
    expect(replies.map((reply) => reply.greeting)).toEqual(names.map((name) => `Hello ${name}`));
  });

  it('is refused when it has not the shape that the command declares', async () => {
    await serve(handle(greet, async () => ({ wrong: 1 }) as unknown as { greeting: string }));
    await expect(started.bus.call(greet, { name: 'Alice' })).rejects.toThrow();
  });
});

describe('an error', () => {
  it('of the family of MatrixError arrives as it was thrown', async () => {
    await serve(failing(new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too many.', { retry_after_ms: 5 })));
    await expect(started.bus.call(greet, { name: 'Alice' })).rejects.toMatchObject({
      name: 'MatrixError',
      status: 429,
      errcode: 'M_LIMIT_EXCEEDED',
      message: 'Too many.',
    });
    const error = (await started.bus
      .call(greet, { name: 'A' })
      .catch((reason: unknown) => reason)) as MatrixError;
    expect(error.toBody()).toMatchObject({ retry_after_ms: 5 });
  });

  it('of any other kind says nothing of its cause, which is logged', async () => {
    await serve(failing(new Error('connection to 10.0.0.1 refused')));
    await expect(started.bus.call(greet, { name: 'Alice' })).rejects.toMatchObject({
      status: 500,
      errcode: 'M_UNKNOWN',
      message: 'Internal server error.',
    });
    expect(logs.join()).toContain('connection to 10.0.0.1 refused');
  });

  it('of a database that is away asks to try again', async () => {
    await serve(failing(Object.assign(new Error('the database system is starting up'), { code: '57P03' })));
    await expect(started.bus.call(greet, { name: 'Alice' })).rejects.toMatchObject({
      status: 503,
      errcode: 'M_UNKNOWN',
      fields: { retry_after_ms: 2000 },
    });
    expect(logs.join()).toContain('starting up');
  });

  it('of a bad input is thrown before anything is sent, and again where the command is done', async () => {
    const seen: unknown[] = [];
    await serve(handle(greet, async ({ name }) => ({ greeting: String(seen.push(name)) })));
    await expect(started.bus.call(greet, { name: 1 } as unknown as { name: string })).rejects.toThrow();
    const lax = command('userapi', 'greet', { input: z.unknown(), output: z.unknown(), timeoutMs: 5000 });
    await expect(started.bus.call(lax, { name: 1 })).rejects.toMatchObject({
      status: 400,
      errcode: 'M_BAD_JSON',
    });
    expect(seen).toEqual([]);
  });

  it('says so when nothing handles the command', async () => {
    await serve(greeting);
    await expect(started.bus.call(deposit, { account: 'a', amount: 1 })).rejects.toMatchObject({
      status: 500,
    });
  });

  it('is remembered by nobody: the same command may succeed afterwards', async () => {
    const refusals = [forbidden('Not now.')];
    await serve(
      depositing(async () => {
        const refusal = refusals.pop();
        if (refusal !== undefined) throw refusal;
      }),
    );
    const again = { idempotencyKey: uniqueName() };
    const input = { account: 'refused', amount: 1 };
    await expect(started.bus.call(deposit, input, again)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    expect(await started.bus.call(deposit, input, again)).toEqual({ balance: 1 });
  });
});

describe('binding', () => {
  it('refuses two handlers for one command, and a command of another component', async () => {
    await expect(started.bus.serve('userapi', [greeting, greeting])).rejects.toThrow(/userapi\.greet/);
    await expect(started.bus.serve('roomserver', [greeting])).rejects.toThrow(/userapi\.greet/);
  });
});

describe('a timeout', () => {
  const short = { timeoutMs: 150 };
  const unknown = { status: 504, errcode: 'M_UNKNOWN' };

  it('means that the outcome is unknown; calling again answers what was done', async () => {
    const held = gate();
    await serve(depositing(() => held.opened));
    const input = { account: 'slow', amount: 5 };
    const idempotencyKey = uniqueName();
    await expect(started.bus.call(deposit, input, { ...short, idempotencyKey })).rejects.toMatchObject(
      unknown,
    );
    const again = started.bus.call(deposit, input, { idempotencyKey });
    held.open();
    expect(await again).toEqual({ balance: 5 });
    expect(await balance('slow')).toBe(5);
  });

  it('of a command that had not begun keeps it from beginning', async () => {
    const input = { account: 'late', amount: 5 };
    await expect(started.bus.call(deposit, input, short)).rejects.toMatchObject(unknown);
    await serve(depositing(), greeting);
    // Jobs are taken in order, so the late one has been looked at when this is answered.
    await started.bus.call(greet, { name: 'Alice' });
    expect(await balance('late')).toBeUndefined();
  });
});

describe('a stop', () => {
  it('lets the commands under way end, and tells callers who still wait', async () => {
    const [begun, held] = [gate(), gate()];
    await serve(
      depositing(() => {
        begun.open();
        return held.opened;
      }),
    );
    const waiting = started.bus.call(deposit, { account: 'stopped', amount: 3 });
    await begun.opened;
    const stopping = serving?.stop();
    held.open();
    await stopping;
    expect(await waiting).toEqual({ balance: 3 });
    const late = started.bus.call(deposit, { account: 'stopped', amount: 3 });
    const refused = expect(late).rejects.toMatchObject({ status: 503 });
    await started.bus.stop();
    await refused;
  });
});

describe('an idempotency key', () => {
  it('makes calls one command, one after the other and at once', async () => {
    await serve(depositing());
    const idempotencyKey = uniqueName();
    const call = (): Promise<{ balance: number }> =>
      started.bus.call(deposit, { account: 'once', amount: 7 }, { idempotencyKey });
    const replies = await Promise.all([call(), call(), call(), call()]);
    replies.push(await call());
    expect(replies).toEqual(Array.from({ length: 5 }, () => ({ balance: 7 })));
    expect(await balance('once')).toBe(7);
  });

  it('is of one command: another command with the same key is another', async () => {
    await serve(depositing(), greeting);
    const idempotencyKey = uniqueName();
    await started.bus.call(deposit, { account: 'apart', amount: 1 }, { idempotencyKey });
    expect(await started.bus.call(greet, { name: 'Alice' }, { idempotencyKey })).toEqual({
      greeting: 'Hello Alice',
    });
  });

  it('tells the handler that the work may have been done', async () => {
    const repeated: boolean[] = [];
    await serve(depositing(async ({ isRepeated }) => void repeated.push(isRepeated)));
    await started.bus.call(deposit, { account: 'told', amount: 1 });
    await started.bus.call(deposit, { account: 'told', amount: 1 }, { idempotencyKey: uniqueName() });
    expect(repeated).toEqual([false, true]);
  });

  it('remembers part by part what a long command has done', async () => {
    const done: unknown[][] = [];
    await serve(
      handle(greet, async ({ name }, context) => {
        done.push(await context.parts());
        const yes = sql`FROM (VALUES (1)) AS guard`;
        const no = sql`FROM (VALUES (1)) AS guard WHERE false`;
        await context.partStatement(`part ${name}`, { name }, yes).execute(db);
        await context.partStatement(`part ${name}`, { name: 'another' }, yes).execute(db);
        await context.partStatement('never', { name: 'never' }, no).execute(db);
        return { greeting: name };
      }),
    );
    const idempotencyKey = uniqueName();
    for (const name of ['first', 'second', 'third'])
      await started.bus.call(greet, { name }, { idempotencyKey });
    expect(done).toEqual([[], [{ name: 'first' }], [{ name: 'first' }, { name: 'second' }]]);
  });
});

describe('a trace', () => {
  it('crosses the hop, into the log lines of the command and into the commands that it calls', async () => {
    const seen: (string | undefined)[] = [];
    const inner = handle(deposit, async () => {
      seen.push(activeTraceId());
      return { balance: 0 };
    });
    const outer = handle(greet, async ({ name }) => {
      seen.push(activeTraceId());
      await started.bus.call(deposit, { account: name, amount: 0 });
      throw new Error('to be logged');
    });
    await serve(outer, inner);
    const calls = ['trace-1', 'trace-2'].map((traceId) =>
      withTrace(traceId, () => started.bus.call(greet, { name: traceId }).catch(() => undefined)),
    );
    await Promise.all(calls);
    expect(seen.sort()).toEqual(['trace-1', 'trace-1', 'trace-2', 'trace-2']);
    const logged = logs.map((line) => (JSON.parse(line) as { traceId?: string }).traceId);
    expect(logged.sort()).toEqual(['trace-1', 'trace-2']);
  });
});
