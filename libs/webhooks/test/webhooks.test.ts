import { createHmac, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';

import { appendToLog } from '@seneschal/database';
import {
  type Received,
  startProcess,
  startReceiver,
  testServices,
  type TestReceiver,
} from '@seneschal/testing';
import { sql } from 'kysely';

import { insertDeliveries, mostAttempts, settleDelivery, waitAfter } from '../src/deliveries.ts';
import { collectFacts, collectTroubles } from '../src/sources.ts';
import { type Fixture, secret, startFixture } from './fixture.ts';

/** As docs/webhooks.md has it. */
function isGenuine({ headers, body }: Received, now = Date.now()): boolean {
  const timestamp = String(headers['seneschal-timestamp']);
  if (Math.abs(now / 1000 - Number(timestamp)) > 300) return false;
  const wanted = `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
  const given = Buffer.from(String(headers['seneschal-signature']));
  return given.length === wanted.length && timingSafeEqual(given, Buffer.from(wanted));
}

const idOf = ({ headers }: Received): unknown => headers['seneschal-delivery'];

let fixture: Fixture;
let good: TestReceiver;
beforeEach(async () => {
  fixture = await startFixture();
  good = await startReceiver();
});
afterEach(async () => {
  await fixture.stop();
  await good.stop();
});

const registered = (userId: string): Promise<number> =>
  fixture.test
    .tables<unknown>()
    .transaction()
    .execute((trx) => appendToLog(trx, 'userapi_output', [{ kind: 'account_registered', userId }]));

describe('webhooks', () => {
  it('tell of facts, signed', async () => {
    await registered('@before:x.test');
    await fixture.serve([good.url]);
    await registered('@alice:x.test');
    const one = await good.next();
    expect(JSON.parse(one.body)).toEqual({
      id: expect.stringMatching(/^userapi_output\/\d+$/) as string,
      type: 'account_registered',
      ts: expect.any(Number) as number,
      server_name: 'x.test',
      data: { user_id: '@alice:x.test' },
    });
    expect(one.headers['seneschal-event']).toBe('account_registered');
    expect(isGenuine(one)).toBe(true);
    expect(isGenuine({ ...one, body: one.body.replace('alice', 'mallory') })).toBe(false);
    expect(isGenuine(one, Date.now() + 3_600_000)).toBe(false);
    await fixture.until(({ state, last_status: status }) => state === 'delivered' && status === 204);
    expect(good.received).toHaveLength(1);
  });

  it('are tried again after a failure, as the same delivery', async () => {
    good.answer = (response) => void response.writeHead(500).end('x'.repeat(1_000_000));
    const webhooks = await fixture.serve([good.url]);
    await webhooks.ping('@admin:x.test');
    const first = await good.next();
    const waiting = await fixture.until(({ last_error: error }) => error === 'It answered 500.');
    expect(waiting).toMatchObject({ state: 'queued', attempts: 1, last_status: 500 });
    // Both are read from a clock that goes on.
    expect(Math.abs(waiting.next_try_ts - waiting.updated_ts - 10_000)).toBeLessThan(1000);
    good.answer = (response) => void response.writeHead(200).end();
    await webhooks.retry(waiting.delivery_id);
    const second = await good.next();
    expect([idOf(second), second.body]).toEqual([idOf(first), first.body]);
    await fixture.until(({ state }) => state === 'delivered');
    await expect(webhooks.retry(waiting.delivery_id)).rejects.toMatchObject({ status: 409 });
    await expect(webhooks.retry('none')).rejects.toMatchObject({ status: 404 });
  });

  it('wait longer after each attempt, and are given up at last', async () => {
    expect([1, 2, 3, 9, 10, 20].map(waitAfter)).toEqual([
      10_000, 20_000, 40_000, 2_560_000, 3_600_000, 3_600_000,
    ]);
    await (await fixture.open([good.url])).ping('@admin:x.test');
    const [delivery] = await fixture.deliveries();
    const db = fixture.test.tables<unknown>();
    await sql`UPDATE webhook_deliveries SET attempts = ${mostAttempts}`.execute(db);
    const last = { ...delivery!, attempts: mostAttempts };
    await settleDelivery(db, last, { ok: false, status: null, error: 'It cannot be reached (X).' });
    expect(await fixture.deliveries()).toMatchObject([{ state: 'failed' }]);
  });

  it('are not delayed by a receiver that is dead', async () => {
    const dead = await startReceiver();
    dead.answer = () => undefined;
    try {
      const webhooks = await fixture.serve([dead.url, good.url], { timeoutMs: 20_000 });
      for (let count = 0; count < 10; count += 1) await webhooks.ping('@admin:x.test');
      for (let count = 0; count < 10; count += 1) await good.next();
      const deliveries = await fixture.deliveries();
      const silent = deliveries.filter(({ receiver }) => receiver === `http://127.0.0.1:${dead.port}`);
      expect(silent.map(({ state }) => state)).toEqual(silent.map(() => 'queued'));
      expect(silent).toHaveLength(10);
    } finally {
      await dead.stop();
    }
  });

  it('end an attempt that takes too long', async () => {
    good.answer = () => undefined;
    await (await fixture.serve([good.url], { timeoutMs: 200 })).ping('@admin:x.test');
    expect(await fixture.until(({ last_error: error }) => error !== null)).toMatchObject({
      state: 'queued',
      last_error: 'It did not answer in time.',
    });
  });

  it('never go to private addresses, by whatever name or redirect', async () => {
    const refused = 'It is at an address of a private network.';
    const byName = `http://localhost:${good.port}/`;
    await (await fixture.serve([good.url, byName], { allowed: [] })).ping('@admin:x.test');
    await fixture.until(
      ({ receiver, last_error: error }) => receiver.includes('localhost') && error === refused,
    );
    await fixture.until(
      ({ receiver, last_error: error }) => receiver.includes('127.0.0.1') && error === refused,
    );
    expect(good.received).toEqual([]);
  });

  it('follow redirects to addresses that are allowed alone', async () => {
    const other = await startReceiver('127.0.0.2');
    try {
      const location = `http://127.0.0.2:${other.port}/there`;
      good.answer = (response) => void response.writeHead(308, { location }).end();
      const webhooks = await fixture.serve([good.url], { allowed: ['127.0.0.1'] });
      await webhooks.ping('@admin:x.test');
      await fixture.until(({ last_error: error }) => error === 'It is at an address of a private network.');
      expect(other.received).toEqual([]);
    } finally {
      await other.stop();
    }
    good.answer = (response) => void response.writeHead(302, { location: good.url }).end();
    const [delivery] = await fixture.deliveries();
    await fixture.due();
    const tried = await fixture.until(({ attempts }) => attempts > (delivery?.attempts ?? 0));
    expect(tried.delivery_id).toBe(delivery?.delivery_id);
    await fixture.until(({ last_error: error }) => error === 'It answered 302.');
  });

  it('outlive SIGKILL of the process that sends them', async () => {
    good.answer = () => undefined;
    const args = [fixture.test.url, testServices().redisUrl, fixture.prefix, good.url];
    const worker = await startProcess(join(import.meta.dirname, 'worker-process.ts'), {}, args);
    expect(await worker.next()).toBe('serving');
    await registered('@alice:x.test');
    const first = await good.next();
    await worker.kill();
    expect(await fixture.deliveries()).toMatchObject([{ state: 'queued', attempts: 1 }]);
    good.answer = (response) => void response.writeHead(200).end();
    await registered('@bob:x.test');
    await fixture.serve([good.url]);
    expect((await good.next()).body).toContain('@bob:x.test');
    await fixture.due();
    const again = await good.next();
    expect([idOf(again), again.body]).toEqual([idOf(first), first.body]);
    await fixture.until(({ state, event_id: id }) => state === 'delivered' && first.body.includes(`"${id}"`));
  });

  it('are made once of each fact, however many look at once', async () => {
    const webhooks = await fixture.open([good.url, `${good.url}/2`]);
    const deps = {
      database: fixture.test.database,
      bus: fixture.bus,
      serverName: 'x.test',
      receivers: webhooks.receivers,
    };
    const stopping = await webhooks.serve();
    await stopping.stop();
    for (let count = 0; count < 20; count += 1) await registered(`@user${count}:x.test`);
    // A look of the service that was under way when it was stopped may be one of those, too.
    await Promise.all([1, 2, 3, 4].map(() => collectFacts(deps)));
    expect(await fixture.deliveries()).toHaveLength(40);
    expect(await collectFacts(deps)).toBe(0);
  });

  it('tell of reports, of jobs that failed or are late, and of consumers that lag', async () => {
    const webhooks = await fixture.open([good.url]);
    await (await webhooks.serve()).stop();
    const deps = {
      database: fixture.test.database,
      bus: fixture.bus,
      serverName: 'x.test',
      receivers: webhooks.receivers,
    };
    const db = fixture.test.tables<unknown>();
    const report = { kind: 'content_reported', reportId: 7, reportKind: 'event' };
    await db.transaction().execute((trx) => appendToLog(trx, 'roomserver_output', [report]));
    const job = (id: string, state: string, updated: number, finished: number | null) =>
      sql`INSERT INTO jobs (job_id, component, kind, target, weight, keeps, input, state, phase, requested_by,
        created_ts, updated_ts, finished_ts) VALUES (${id}, 'aviary', 'moult', ${id}, 'light', 'failures', '{}',
        ${state}, 'p', '@a:x', ${updated}, ${updated}, ${finished})`.execute(db);
    await job('bad', 'failed', Date.now(), Date.now());
    await job('fine', 'completed', Date.now(), Date.now());
    await job('late', 'queued', Date.now() - 120_000, null);
    await sql`INSERT INTO bus_checkpoints (consumer, position) VALUES ('roomserver-userapi', 0)`.execute(db);
    await sql`INSERT INTO userapi_output (position, fact, created_ts)
      VALUES (nextval('userapi_output_position'), '{"kind":"other"}', ${Date.now() - 120_000})`.execute(db);
    await collectFacts(deps);
    for (const _ of [1, 2]) await collectTroubles(deps);
    const bodies = (await fixture.deliveries()).map(
      ({ body }) => JSON.parse(body) as { type: string; data: object },
    );
    expect(bodies.map(({ type, data }) => [type, data])).toEqual(
      expect.arrayContaining([
        ['content_reported', { report_id: 7, kind: 'event' }],
        ['job_failed', { job_id: 'bad', kind: 'moult', target: 'bad', state: 'failed', errcode: null }],
        ['job_late', expect.objectContaining({ job_id: 'late', kind: 'moult' })],
        ['consumer_lagging', expect.objectContaining({ consumer: 'roomserver-userapi' })],
      ]),
    );
    expect(bodies).toHaveLength(4);
  });

  it('are known by their receivers once, and name no secret anywhere', async () => {
    good.answer = (response) => void response.writeHead(503).end();
    const webhooks = await fixture.serve([good.url, good.url]);
    await webhooks.ping('@admin:x.test');
    await fixture.until(({ last_error: error }) => error !== null);
    const stored = JSON.stringify(await fixture.deliveries());
    expect(fixture.logs.join()).toContain('a webhook failed');
    for (const text of [stored, fixture.logs.join()]) {
      expect(text).not.toContain('secret-path');
      expect(text).not.toContain(secret);
    }
    const event = { id: 'e', type: 'ping', ts: 1, data: {} } as const;
    const db = fixture.test.tables<unknown>();
    expect(await insertDeliveries(db, 'x', webhooks.receivers, [event])).toBe(1);
    expect(await insertDeliveries(db, 'x', webhooks.receivers, [event])).toBe(0);
  });

  it('to a receiver that is no more are given up', async () => {
    const before = await fixture.open(['http://127.0.0.1:1/']);
    await before.ping('@admin:x.test');
    const [{ delivery_id: id } = { delivery_id: '' }] = await fixture.deliveries();
    const after = await fixture.serve([good.url]);
    expect(await fixture.deliveries()).toMatchObject([{ state: 'failed', attempts: 0 }]);
    await expect(after.retry(id)).rejects.toMatchObject({ status: 409, errcode: 'M_BAD_STATE' });
  });
});
