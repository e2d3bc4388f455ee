import { type Kysely, sql, type Transaction } from 'kysely';

import type { Bus } from '@seneschal/bus';
import { type EventLog, eventLogs, federation, roomserver, userapi } from '@seneschal/contracts';
import { type Database, lastPosition, transact } from '@seneschal/database';
import { finishedJobs, lateJobs } from '@seneschal/jobs';
import type { JsonObject } from '@seneschal/matrix';

import { insertDeliveries } from './deliveries.ts';
import type { WebhookEvent } from './events.ts';
import type { Receiver } from './receivers.ts';

export interface SourcesDeps {
  database: Pick<Database, 'tables'>;
  bus: Pick<Bus, 'lag'>;
  serverName: string;
  receivers: readonly Receiver[];
}

/** A log of facts, and what becomes of those that receivers are told of. */
interface Followed {
  log: EventLog<never> | EventLog<unknown>;
  kinds: Record<string, (fact: JsonObject) => Pick<WebhookEvent, 'type' | 'data'>>;
}

const followed: Followed[] = [
  {
    log: roomserver.roomserverOutput,
    kinds: {
      content_reported: ({ reportId, reportKind }) => ({
        type: 'content_reported',
        data: { report_id: reportId ?? null, kind: reportKind ?? null },
      }),
    },
  },
  {
    log: userapi.userapiOutput,
    kinds: {
      account_registered: ({ userId }) => ({
        type: 'account_registered',
        data: { user_id: userId ?? null },
      }),
    },
  },
  {
    log: federation.federationOutput,
    kinds: {
      destination_lagging: ({ destination, sinceTs, lagMs, pdus, failures, lastError }) => ({
        type: 'destination_lagging',
        data: {
          destination: destination ?? null,
          since_ts: sinceTs ?? null,
          lag_ms: lagMs ?? null,
          pdus: pdus ?? null,
          failures: failures ?? null,
          last_error: lastError ?? null,
        },
      }),
      destination_recovered: ({ destination, sinceTs, lagMs }) => ({
        type: 'destination_recovered',
        data: { destination: destination ?? null, since_ts: sinceTs ?? null, lag_ms: lagMs ?? null },
      }),
    },
  },
];

const pageSize = 500;
/** Jobs are not numbered in the order of their commits: those that ended a while ago are looked at again. */
const overlapMs = 600_000;
const lateMs = 60_000;
const hour = 3_600_000;

/** Begins where everything stands now: receivers are told of what comes. */
export async function beginCheckpoints(db: Kysely<unknown>): Promise<void> {
  for (const { log } of followed) await begin(db, log.table, await lastPosition(db, log.table));
  await begin(db, 'jobs', Date.now());
}

async function begin(db: Kysely<unknown>, source: string, position: number): Promise<void> {
  await sql`INSERT INTO webhook_checkpoints (source, position) VALUES (${source}, ${position})
    ON CONFLICT DO NOTHING`.execute(db);
}

/**
 * Takes over what has happened since the last time, in the transactions that move the checkpoints: nothing is
 * lost or told twice whatever dies when. Answers how many deliveries came of it.
 */
export async function collectFacts(deps: SourcesDeps): Promise<number> {
  let made = 0;
  for (const one of followed) made += await followLog(deps, one);
  return made;
}

async function followLog(deps: SourcesDeps, { log, kinds }: Followed): Promise<number> {
  const db = deps.database.tables<unknown>();
  const end = await lastPosition(db, log.table);
  let made = 0;
  for (let isDone = false; !isDone;) {
    isDone = await transact(db, async (trx) => {
      const from = await lockCheckpoint(trx, log.table);
      if (from === undefined || from >= end) return true;
      const found = await sql<{ position: number; fact: JsonObject; ts: number }>`
        SELECT position, fact, created_ts AS ts FROM ${sql.id(log.table)}
        WHERE position > ${from} AND position <= ${end} AND fact->>'kind' = ANY(${Object.keys(kinds)}::text[])
        ORDER BY position LIMIT ${pageSize}
      `.execute(trx);
      const events = found.rows.flatMap(({ position, fact, ts }): WebhookEvent[] => {
        const told = kinds[fact['kind'] as string]?.(fact);
        return told === undefined ? [] : [{ id: `${log.table}/${position}`, ts, ...told }];
      });
      made += await insertDeliveries(trx, deps.serverName, deps.receivers, events);
      const isLastPage = found.rows.length < pageSize;
      await moveCheckpoint(trx, log.table, isLastPage ? end : (found.rows.at(-1)?.position ?? end));
      return isLastPage;
    });
  }
  return made;
}

/** Undefined while another process is at it. */
async function lockCheckpoint(trx: Transaction<unknown>, source: string): Promise<number | undefined> {
  const found = await sql<{ position: number }>`SELECT position FROM webhook_checkpoints
    WHERE source = ${source} FOR UPDATE SKIP LOCKED`.execute(trx);
  return found.rows[0]?.position;
}

async function moveCheckpoint(trx: Transaction<unknown>, source: string, position: number): Promise<void> {
  await sql`UPDATE webhook_checkpoints SET position = ${position} WHERE source = ${source}`.execute(trx);
}

/** Jobs that failed, jobs that are late and consumers that lag; each is told of once, lags once an hour. */
export async function collectTroubles(deps: SourcesDeps): Promise<number> {
  const { database } = deps;
  const started = Date.now();
  return transact(database.tables<unknown>(), async (trx) => {
    const since = await lockCheckpoint(trx, 'jobs');
    if (since === undefined) return 0;
    await moveCheckpoint(trx, 'jobs', started);
    const troubles = [
      ...(await failedJobs(database, since - overlapMs)),
      ...(await late(database, started)),
      ...(await lags(deps, started)),
    ];
    return insertDeliveries(trx, deps.serverName, deps.receivers, troubles);
  });
}

async function failedJobs(database: SourcesDeps['database'], since: number): Promise<WebhookEvent[]> {
  const jobs = await finishedJobs(database.tables(), ['failed', 'partial'], since);
  return jobs.map(({ jobId, version, kind, target, state, finishedTs, lastError }) => ({
    id: `jobs/${jobId}/${version}`,
    type: 'job_failed',
    ts: finishedTs ?? 0,
    data: { job_id: jobId, kind, target, state, errcode: lastError?.errcode ?? null },
  }));
}

async function late(database: SourcesDeps['database'], ts: number): Promise<WebhookEvent[]> {
  const jobs = await lateJobs(database.tables(), lateMs);
  return jobs.map(({ jobId, kind, count, ms }) => ({
    id: `late/${jobId}`,
    type: 'job_late',
    ts,
    data: { job_id: jobId, kind, count, late_ms: ms },
  }));
}

async function lags({ bus }: SourcesDeps, ts: number): Promise<WebhookEvent[]> {
  const all = (await Promise.all(eventLogs.map((log) => bus.lag(log)))).flat();
  return all
    .filter(({ ms }) => ms > lateMs)
    .map(({ consumer, log, facts, ms }) => ({
      id: `lag/${consumer}/${Math.floor(ts / hour)}`,
      type: 'consumer_lagging',
      ts,
      data: { consumer, log, facts, lag_ms: ms },
    }));
}
