import { busMigrations } from '@seneschal/bus';
import { federationMigrations } from '@seneschal/federation';
import { Jobs, jobsMigrations } from '@seneschal/jobs';
import { createLogger, Lifecycle, type Stoppable } from '@seneschal/observability';
import { roomserverMigrations } from '@seneschal/roomserver';
import { startBus, type TestDatabase, withDatabase } from '@seneschal/testing';
import { userapiMigrations } from '@seneschal/userapi';
import { sql } from 'kysely';

import type { Delivery } from '../src/index.ts';
import { Webhooks, webhooksMigrations } from '../src/index.ts';

export const secret = 'T3VyIHNoYXJlZCBzZWNyZXQgZm9yIHRlc3Rz';

export interface Fixture extends Stoppable {
  readonly test: TestDatabase;
  readonly prefix: string;
  readonly logs: string[];
  readonly bus: Awaited<ReturnType<typeof startBus>>['bus'];
  /** Webhooks to some receivers, opened and not yet serving. */
  open(urls: readonly string[], over?: { allowed?: string[]; timeoutMs?: number }): Promise<Webhooks>;
  /** As `open`, and serving. */
  serve(urls: readonly string[], over?: { allowed?: string[]; timeoutMs?: number }): Promise<Webhooks>;
  deliveries(): Promise<Delivery[]>;
  /** Looks until a delivery is as wanted: what a process does is seen in its rows. */
  until(wanted: (delivery: Delivery) => boolean): Promise<Delivery>;
  /** Lets the time pass that a delivery waits for. */
  due(): Promise<void>;
}

export async function startFixture(): Promise<Fixture> {
  const lifecycle = new Lifecycle();
  const test = lifecycle.add(
    await withDatabase({
      bus: busMigrations,
      federation: federationMigrations,
      jobs: jobsMigrations,
      roomserver: roomserverMigrations,
      userapi: userapiMigrations,
      webhooks: webhooksMigrations,
    }),
  );
  const started = lifecycle.add(await startBus(test.database));
  const { bus } = started;
  const logs: string[] = [];
  const logger = createLogger('trace', { write: (line) => void logs.push(line) });
  const { database } = test;
  lifecycle.add(await Jobs.open({ bus, database, logger, concurrency: 1, retentionMs: 60_000 }));
  const open: Fixture['open'] = async (urls, { allowed = ['127.0.0.0/8', '::1'], timeoutMs } = {}) => {
    const config = {
      server_name: 'x.test',
      webhook_urls: urls,
      webhook_secret: secret,
      webhook_allowed_networks: allowed,
      job_retention: 60_000,
    };
    const times = { pollMs: 50, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    return lifecycle.add(await Webhooks.open({ bus, database, logger, config, ...times }));
  };
  const deliveries = async (): Promise<Delivery[]> =>
    (
      await sql<Delivery>`SELECT * FROM webhook_deliveries ORDER BY created_ts, delivery_id`.execute(
        test.tables(),
      )
    ).rows;
  return {
    test,
    prefix: bus.prefix,
    logs,
    bus,
    open,
    serve: async (urls, over) => {
      const webhooks = await open(urls, over);
      lifecycle.add(await webhooks.serve());
      return webhooks;
    },
    deliveries,
    until: async (wanted) => {
      for (;;) {
        const found = (await deliveries()).find(wanted);
        if (found !== undefined) return found;
      }
    },
    due: async () => {
      await sql`UPDATE webhook_deliveries SET next_try_ts = 0, lease_until = 0 WHERE state = 'queued'`.execute(
        test.tables(),
      );
    },
    stop: () => lifecycle.stop(),
  };
}
