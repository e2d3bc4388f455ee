import { setTimeout as delay } from 'node:timers/promises';

import { roomserver } from '@seneschal/contracts';
import type pg from 'pg';

import type { HttpClient } from '../shared/client.ts';
import { registerUser, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { cpuOf } from './cpu.ts';

/** One line of the result: a job at one size. Times in ms. */
export interface Measurement {
  job: string;
  size: number;
  items: number;
  wallMs: number;
  serverMs: number;
  postgresMs: number;
  redisMs: number;
  /** Server and PostgreSQL together, per item: the figure to steer by. */
  cpuPerItemMs: number;
  more: Record<string, number>;
}

export interface Pids {
  server: number;
  /** Of a server in several processes. */
  others?: readonly number[];
  postgres: number | undefined;
  redis: number | undefined;
}

/** What consumers do after a reply belongs to its cost: they have this long. */
const settleMs = 400;

/** What the jobs of a benchmark share: a server under load, and users that are made once. */
export class Bench {
  readonly client: HttpClient;
  readonly secret: string;
  readonly pids: Pids;
  /** Settings of the server, for jobs that reach past its API. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly #users: User[] = [];
  #admin: User | undefined;
  #names = 0;

  constructor(client: HttpClient, secret: string, pids: Pids, env: Bench['env']) {
    this.client = client;
    this.secret = secret;
    this.pids = pids;
    this.env = env;
  }

  async admin(): Promise<User> {
    return (this.#admin ??= await registerUser(this.client, this.secret, 'bench-admin', true));
  }

  /** A name that no account has. */
  name(): string {
    this.#names += 1;
    return `bench-${this.#names}`;
  }

  async users(count: number): Promise<User[]> {
    const missing = Array.from({ length: Math.max(0, count - this.#users.length) }, () => this.name());
    await parallel(missing, 8, async (name) => {
      this.#users.push(await registerUser(this.client, this.secret, name));
    });
    return this.#users.slice(0, count);
  }

  /** Measures `work`, which handles `items` items; what it answers is told beside the figures. */
  async measure(
    job: string,
    size: number,
    items: number,
    work: () => Promise<Record<string, number> | undefined>,
  ): Promise<Measurement> {
    await delay(settleMs);
    const before = this.cpu();
    const started = performance.now();
    const more = (await work()) ?? {};
    const wallMs = performance.now() - started;
    await delay(settleMs);
    const after = this.cpu();
    const [serverMs = 0, postgresMs = 0, redisMs = 0] = after.map(
      (value, index) => value - (before[index] ?? 0),
    );
    return {
      job,
      size,
      items,
      wallMs,
      serverMs,
      postgresMs,
      redisMs,
      cpuPerItemMs: (serverMs + postgresMs) / items,
      more,
    };
  }

  /** CPU time in ms that the server, PostgreSQL and Redis have used so far. */
  cpu(): number[] {
    const { server, others = [] } = this.pids;
    const all = [server, ...others].reduce((sum, pid) => sum + cpuOf(pid), 0);
    return [all, cpuOf(this.pids.postgres), cpuOf(this.pids.redis)];
  }
}

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** The median of values, and between which two of them that of the population lies with a confidence of 95 %. */
export function medianOf(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const reach = (1.96 * Math.sqrt(sorted.length)) / 2;
  const at = (rank: number): number =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(rank)))] ?? 0;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(Math.floor(middle - reach)),
    high: at(Math.ceil(middle + reach)),
  };
}

/** Waits until every consumer of every log has read all of it, so that its work is not counted as another's. */
export async function consumersRead(database: pg.Client): Promise<void> {
  for (let behind = true; behind;) {
    const found = await database.query<{ behind: boolean }>(
      `SELECT coalesce(bool_or(position < (SELECT max(position) FROM roomserver_output)), false) AS behind
        FROM bus_checkpoints WHERE consumer = ANY($1)`,
      [roomserver.roomserverOutput.consumers],
    );
    behind = found.rows[0]?.behind ?? false;
    if (behind) await delay(20);
  }
}
