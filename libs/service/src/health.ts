import { sql } from 'kysely';
import { z } from 'zod';

import { pendingMigrations } from '@seneschal/database';
import { endpoint, type Endpoint, Reply } from '@seneschal/http';

import type { Platform } from './platform.ts';

type Checked = Pick<Platform, 'database' | 'bus'>;

const longestCheckMs = 2000;

/** Names what this process needs and cannot use just now. */
async function findFaults({ database, bus }: Checked): Promise<string[]> {
  const checks = [
    answers(sql`SELECT 1`.execute(database.tables()), 'PostgreSQL does not answer.'),
    answers(bus.redis.ping(), 'Redis does not answer.'),
    answers(requireTables(database), 'The tables are older than this process.'),
  ];
  return (await Promise.all(checks)).flatMap((fault) => fault ?? []);
}

/** Rejects when a migration that this process made or waited for is not there (any more). */
async function requireTables(database: Checked['database']): Promise<void> {
  const pending = await pendingMigrations(database.tables(), database.migrated);
  if (pending.length > 0) throw new Error(`${pending.join(', ')} are missing.`);
}

async function answers(check: Promise<unknown>, fault: string): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(fault), longestCheckMs);
  });
  const checked = check.then(
    () => undefined,
    () => fault,
  );
  return Promise.race([checked, timeout]).finally(() => clearTimeout(timer));
}

/** What tells load balancers and supervisors how a process is; for anybody, so it says no more than that. */
export function healthEndpoints(platform: Checked): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/_dendrite/monitor/up',
      access: 'public',
      rateLimit: 'none',
      summary: 'Answers 200 while the process runs',
      answer: z.object({}),
      produces: 'none',
      handle: async () => new Reply(200),
    }),
    endpoint({
      method: 'GET',
      path: '/_dendrite/monitor/health',
      access: 'public',
      rateLimit: 'none',
      summary: 'Answers 200, or 503 with warnings',
      answer: z.object({}),
      produces: 'none',
      otherAnswers: { 503: z.object({ warnings: z.array(z.string()) }) },
      handle: async () => {
        const warnings = await findFaults(platform);
        return warnings.length === 0 ? new Reply(200) : new Reply(503, { warnings });
      },
    }),
    ...probes(platform),
    endpoint({
      method: 'GET',
      path: '/_seneschal/v1/health',
      access: 'public',
      rateLimit: 'none',
      summary: 'Whether the process can do its work, 503 when not',
      answer: z.object({ status: z.literal('ok'), warnings: z.array(z.string()) }),
      otherAnswers: { 503: z.object({ status: z.literal('degraded'), warnings: z.array(z.string()) }) },
      handle: async () => {
        const warnings = await findFaults(platform);
        return warnings.length === 0
          ? { status: 'ok' as const, warnings }
          : new Reply(503, { status: 'degraded', warnings });
      },
    }),
  ];
}

/** What supervisors ask: a process that is not alive is started anew, one that is not ready gets no requests. */
function probes(platform: Checked): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/_seneschal/v1/live',
      access: 'public',
      rateLimit: 'none',
      summary:
        'Whether the process runs; it asks nobody else, as nobody is helped by its end while they are away',
      answer: z.object({ status: z.literal('ok') }),
      handle: async () => ({ status: 'ok' as const }),
    }),
    endpoint({
      method: 'GET',
      path: '/_seneschal/v1/ready',
      access: 'public',
      rateLimit: 'none',
      summary: 'Whether the process reaches PostgreSQL and Redis and the tables are up to date, 503 when not',
      answer: z.object({ status: z.literal('ok') }),
      otherAnswers: { 503: z.object({ status: z.literal('degraded'), warnings: z.array(z.string()) }) },
      handle: async () => {
        const warnings = await findFaults(platform);
        return warnings.length === 0
          ? { status: 'ok' as const }
          : new Reply(503, { status: 'degraded', warnings });
      },
    }),
  ];
}
