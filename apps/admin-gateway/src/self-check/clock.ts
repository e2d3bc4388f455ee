import { type Kysely, sql } from 'kysely';

import type { Bus } from '@seneschal/bus';

import { type Check, type Finding, seconds } from './finding.ts';

export interface ClockDeps {
  db: Kysely<unknown>;
  redis: Pick<Bus['redis'], 'time'>;
  /** This machine's clock. */
  now?: () => number;
}

const tolerableMs = 2000;
const grossMs = 60_000;

/** How far this machine's clock is from PostgreSQL's and Redis's. */
export function clock({ db, redis, now = Date.now }: ClockDeps): Check {
  const compare = async (name: string, theirs: () => Promise<number>): Promise<Finding[]> => {
    const before = now();
    const their = await theirs();
    const after = now();
    // They looked at their clock at some time in between.
    const apart = Math.max(before - their, their - after, 0);
    return apart <= tolerableMs ? [] : [finding(name, apart)];
  };
  return {
    name: 'clock',
    run: async () => [
      ...(await compare('PostgreSQL', () => postgresqlTime(db))),
      ...(await compare('Redis', () => redisTime(redis))),
    ],
  };
}

function finding(name: string, apart: number): Finding {
  return {
    id: 'clock_differs',
    severity: apart > grossMs ? 'critical' : 'warning',
    subject: name,
    meaning: `The clocks of this machine and of ${name} are ${seconds(apart)} apart: expiries, deadlines and the times of events are wrong by so much.`,
    remedy: 'Keep the clocks of all machines with NTP, for instance with chrony.',
  };
}

async function postgresqlTime(db: Kysely<unknown>): Promise<number> {
  const found = await sql<{ ms: number }>`
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms`.execute(db);
  return found.rows[0]?.ms ?? 0;
}

async function redisTime(redis: ClockDeps['redis']): Promise<number> {
  const [whole, micros] = (await redis.time()).map(Number);
  return (whole ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000);
}
