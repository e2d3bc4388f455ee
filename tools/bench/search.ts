import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { type Database, openDatabase } from '@seneschal/database';
import { createLogger } from '@seneschal/observability';
import { type IndexRef, openEngines, type SearchDocument, type SearchEngine } from '@seneschal/search';
import { sql } from 'kysely';

import { at, createRoom, registerUser, sendMessage, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { type Bench, type Measurement, percentile } from './bench.ts';
import { cpuOf, memoryOf } from './cpu.ts';
import { MessageLog } from './messages.ts';

const searchedMessages = 70_000;
const queries = 200;
const sends = 400;
const liveSeconds = 10;
/** The default of the setting `meilisearch_prefix`. */
const serversPrefix = 'seneschal';

/** What the jobs work on: rooms of a user with many messages, and the engine past the server. */
interface Ground {
  /** Who is in these rooms, and in no others. */
  user: User;
  rooms: string[];
  documents: SearchDocument[];
  log: MessageLog;
  engine: SearchEngine;
  database: Database;
  close(): Promise<void>;
}

async function prepare(bench: Bench, roomCount: number, messages: number): Promise<Ground> {
  const user = await registerUser(bench.client, bench.secret, bench.name());
  const rooms: string[] = [];
  await parallel(Array.from({ length: roomCount }), 8, async () => {
    rooms.push(await createRoom(bench.client, user));
  });
  const url = bench.env['SENESCHAL_DATABASE_URL'] ?? '';
  const log = await MessageLog.open(url);
  const documents = await log.write(rooms, user.userId, messages);
  // What was written past the server is read when the log has gone beyond it.
  await sendMessage(bench.client, user, rooms[0] ?? '', randomBytes(8).toString('hex'), 'the end');
  const database = openDatabase({
    url,
    maxConnections: 4,
    applicationName: 'seneschal bench',
    logger: createLogger('silent'),
  });
  const engines = openEngines(database, {
    meilisearch_url: bench.env['SENESCHAL_MEILISEARCH_URL'] ?? null,
    meilisearch_api_key: bench.env['SENESCHAL_MEILISEARCH_API_KEY'] ?? null,
    meilisearch_prefix: serversPrefix,
    search_language: 'english',
  });
  const close = async (): Promise<void> => {
    await log.close();
    await database.stop();
  };
  return { user, rooms, documents, log, engine: engines.preferred, database, close };
}

/** Documents a second that the engine alone takes, made beforehand. */
async function engineAlone({ engine, database, documents }: Ground): Promise<number> {
  const index = { generation: 1_000_000, name: randomBytes(8).toString('hex'), language: 'english' };
  const started = performance.now();
  await engine.create(index);
  for (let at = 0; at < documents.length; at += engine.loadSize) {
    await engine.load(database.tables(), index, documents.slice(at, at + engine.loadSize));
  }
  await engine.complete(index);
  const seconds = (performance.now() - started) / 1000;
  await engine.drop(index);
  return documents.length / seconds;
}

/** Has everything indexed anew; answers how many events there were, and in how many seconds. */
async function runReindex(bench: Bench): Promise<{ indexed: number; seconds: number }> {
  const { client } = bench;
  const { token } = await bench.admin();
  await client.expect('POST', '/_dendrite/admin/fulltext/reindex', { token });
  const query = { kind: 'reindex_search', limit: '1' };
  for (;;) {
    const { jobs } = await client.expect('GET', '/_seneschal/v1/jobs', { token, query });
    const [job] = jobs as unknown[];
    const state = at(job, 'state');
    if (state === 'completed') {
      return { indexed: Number(at(job, 'result', 'indexed')), seconds: Number(at(job, 'result', 'seconds')) };
    }
    if (state === 'failed') throw new Error(`The reindex failed: ${JSON.stringify(at(job, 'error'))}`);
    await delay(100);
  }
}

/** A reindex of `size` messages, beside what the engine alone does, and what it costs those who send. */
export async function reindex(bench: Bench, size: number): Promise<Measurement> {
  const ground = await prepare(bench, 100, size);
  const alone = await engineAlone(ground);
  const engineBefore = cpuOf(enginePid(bench));
  const memory = watchMemory(bench);
  const measured = await bench.measure('reindex', size, size, async () => {
    const { indexed, seconds } = await runReindex(bench);
    const rate = indexed / seconds;
    return { indexed, eventsPerSecond: rate, engineAlonePerSecond: alone, shareOfEngine: rate / alone };
  });
  const engineMs = cpuOf(enginePid(bench)) - engineBefore;
  const idle = await timesOfSends(bench, ground);
  const busy = runReindex(bench);
  const during = await timesOfSends(bench, ground);
  const { indexed, seconds } = await busy;
  await ground.close();
  const more = {
    engineMs,
    ...memory.stop(),
    sendIdleMs: mean(idle),
    sendBusyMs: mean(during),
    sendIdleP99Ms: percentile(idle, 0.99),
    sendBusyP99Ms: percentile(during, 0.99),
    eventsPerSecondBesideSends: indexed / seconds,
  };
  return { ...measured, more: { ...measured.more, ...more } };
}

/** Only the memory of a reindex of `size` messages, so that there may be many. */
export async function reindexMemory(bench: Bench, size: number): Promise<Measurement> {
  const ground = await prepare(bench, 100, size);
  const memory = watchMemory(bench);
  const measured = await bench.measure('reindex-memory', size, size, async () => {
    const { indexed, seconds } = await runReindex(bench);
    return { indexed, eventsPerSecond: indexed / seconds };
  });
  await ground.close();
  return { ...measured, more: { ...measured.more, ...memory.stop() } };
}

function watchMemory({ pids: { server } }: Bench): { stop(): { beforeMiB: number; highestMiB: number } } {
  const beforeMiB = memoryOf(server).now;
  let highestMiB = beforeMiB;
  const samples = setInterval(() => {
    highestMiB = Math.max(highestMiB, memoryOf(server).now);
  }, 50);
  return {
    stop: () => {
      clearInterval(samples);
      return { beforeMiB, highestMiB };
    },
  };
}

/** The process of Meilisearch, when the caller says which it is. */
function enginePid({ env }: Bench): number | undefined {
  const pid = Number(env['SENESCHAL_BENCH_MEILISEARCH_PID']);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function timesOfSends(bench: Bench, { user, rooms }: Ground): Promise<number[]> {
  return timesOf(
    Array.from({ length: sends }, () => randomBytes(8).toString('hex')),
    (id) => sendMessage(bench.client, user, rooms[0] ?? '', id, 'Call me Ishmael.'),
  );
}

async function timesOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (const item of items) {
    const begun = performance.now();
    await work(item);
    times.push(performance.now() - begun);
  }
  return times;
}

async function liveIndex({ database }: Ground): Promise<IndexRef> {
  const found = await sql<IndexRef>`
    SELECT generation, name, language FROM search_indexes WHERE state = 'live'
  `.execute(database.tables());
  const [index] = found.rows;
  if (index === undefined) throw new Error('There is no index.');
  return index;
}

/** Searches of a user in `size` rooms, beside the same asked of the engine. */
export async function search(bench: Bench, size: number): Promise<Measurement> {
  const ground = await prepare(bench, size, searchedMessages);
  const { engine, rooms, log, user } = ground;
  await runReindex(bench);
  const index = await liveIndex(ground);
  const words = log.words(queries);
  const scope = rooms.map((roomId) => ({ roomId, from: 0, to: Infinity }));
  const types = ['m.room.message', 'm.room.name', 'm.room.topic'] as const;
  const ask = (word: string): Promise<unknown> => {
    const body = { search_categories: { room_events: { search_term: word } } };
    return bench.client.expect('POST', '/_matrix/client/v3/search', { token: user.token, body });
  };
  const askEngine = (word: string): Promise<unknown> =>
    engine.search(index, { words: [word], order: 'rank', scope, types, upTo: 1e15, offset: 0, limit: 11 });
  await timesOf(words.slice(0, 20), ask);
  await timesOf(words.slice(0, 20), askEngine);
  const alone = await timesOf(words, askEngine);
  const measured = await bench.measure('search', size, queries, async () => {
    const times = await timesOf(words, ask);
    return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
  });
  await ground.close();
  const more = { engineP50Ms: percentile(alone, 0.5), engineP99Ms: percentile(alone, 0.99) };
  return { ...measured, more: { ...measured.more, ...more } };
}

/** `size` messages a second for a while, and how long after the last of them it can be found. */
export async function indexLive(bench: Bench, size: number): Promise<Measurement> {
  const user = await bench.admin();
  const roomId = await createRoom(bench.client, user);
  const count = size * liveSeconds;
  const last = `last${randomBytes(6).toString('hex')}`;
  return bench.measure('live-index', size, count, async () => {
    const started = performance.now();
    await parallel(Array.from({ length: count }), 32, async (_, number) => {
      await delay(Math.max(0, started + (number * 1000) / size - performance.now()));
      await sendMessage(bench.client, user, roomId, `live${number}-${last}`, `message ${number}`);
    });
    const sentAt = performance.now();
    await sendMessage(bench.client, user, roomId, last, last);
    const body = { search_categories: { room_events: { search_term: last } } };
    for (;;) {
      const answer = await bench.client.expect('POST', '/_matrix/client/v3/search', {
        token: user.token,
        body,
      });
      if (Number(at(answer, 'search_categories', 'room_events', 'count')) > 0) break;
      await delay(20);
    }
    return { sentPerSecond: count / ((sentAt - started) / 1000), visibleMs: performance.now() - sentAt };
  });
}
