import { setTimeout as delay } from 'node:timers/promises';

import { HttpClient } from '../shared/client.ts';
import { createRoom, joinRoom, sendMessage, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { type Bench, type Measurement, percentile } from './bench.ts';
import { Deliveries, Listeners } from './listeners.ts';
import { measureMemory } from './memory.ts';
import { MessageLog } from './messages.ts';

/** In each room of the user whose first sync is measured. */
const messagesOfRoom = 20;
const lazy = JSON.stringify({ room: { state: { lazy_load_members: true } } });

/** The first sync of a user in `size` rooms with messages, without a filter and as clients ask. */
export async function initialSync(bench: Bench, size: number): Promise<Measurement> {
  const [user, other] = await bench.users(2);
  if (user === undefined || other === undefined) throw new Error('There are no users.');
  const roomIds: string[] = [];
  await parallel(
    Array.from({ length: size }, (_, index) => index),
    8,
    async (index) => {
      const roomId = await createRoom(bench.client, other, { name: `Room ${index}`, topic: 'Whales' });
      await joinRoom(bench.client, user, roomId);
      roomIds.push(roomId);
    },
  );
  const log = await MessageLog.open(bench.env['SENESCHAL_DATABASE_URL'] ?? '');
  await log.write(roomIds, other.userId, size * messagesOfRoom);
  await log.close();
  await sendMessage(bench.client, other, roomIds[0] ?? '', `last-${size}`, 'The last of all.');
  const sync = async (query: Record<string, string>): Promise<number> => {
    const started = performance.now();
    const path = '/_matrix/client/v3/sync';
    const answer = await bench.client.expect('GET', path, { token: user.token, query });
    const joined = Object.keys((answer['rooms'] as { join: object }).join).length;
    if (joined < size) throw new Error(`Only ${joined} rooms are told of.`);
    return performance.now() - started;
  };
  return measureMemory(bench, 'initial-sync', size, 2, async () => ({
    wholeMs: await sync({}),
    lazyMs: await sync({ filter: lazy }),
  }));
}

/** So long messages are sent at a rate. */
const rateMs = 15_000;
const rooms = 10;

/** From sending to being told: `size` messages a second into ten rooms of two, both of whom listen. */
export async function syncLatency(bench: Bench, size: number): Promise<Measurement> {
  const users = await bench.users(2 * rooms);
  const places: { roomId: string; user: User }[] = [];
  for (let at = 0; at < rooms; at += 1) {
    const [first, second] = users.slice(2 * at, 2 * at + 2);
    if (first === undefined || second === undefined) throw new Error('There are no users.');
    const roomId = await createRoom(bench.client, first);
    await joinRoom(bench.client, second, roomId);
    places.push({ roomId, user: first }, { roomId, user: second });
  }
  const deliveries = new Deliveries();
  const listeners = await Listeners.open(bench.client.address, users, deliveries.heard);
  const sends: number[] = [];
  const send = async (name: string, index: number): Promise<void> => {
    const place = places[index % places.length];
    if (place === undefined) throw new Error('There is no room.');
    deliveries.sent(name, 2);
    const started = performance.now();
    await sendMessage(bench.client, place.user, place.roomId, name, name);
    sends.push(performance.now() - started);
  };
  try {
    await atRate(size, 2000, (index) => send(`warm-${size}-${index}`, index));
    await deliveries.settled();
    deliveries.latencies.length = sends.length = 0;
    const count = (size * rateMs) / 1000;
    return await measureMemory(bench, 'sync-latency', size, count, async () => {
      await atRate(size, rateMs, (index) => send(`rate-${size}-${index}`, index));
      await deliveries.settled();
      return {
        p50Ms: percentile(deliveries.latencies, 0.5),
        p99Ms: percentile(deliveries.latencies, 0.99),
        sendP50Ms: percentile(sends, 0.5),
        sendP99Ms: percentile(sends, 0.99),
      };
    });
  } finally {
    await listeners.stop();
  }
}

/** Begins `work` so many times a second, whether or not what was begun before has ended. */
async function atRate(perSecond: number, ms: number, work: (index: number) => Promise<void>): Promise<void> {
  const started = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < (perSecond * ms) / 1000; index += 1) {
    const due = started + (index * 1000) / perSecond;
    if (due > performance.now()) await delay(due - performance.now());
    running.push(work(index));
  }
  await Promise.all(running);
}

const fannedOut = 20;

/** One message at a time into a room in which `size` clients listen; the next one when all have been told. */
export async function fanOut(bench: Bench, size: number): Promise<Measurement> {
  const users = await bench.users(size);
  const admin = await bench.admin();
  const roomId = await createRoom(bench.client, admin);
  await parallel(users, 8, (user) => joinRoom(bench.client, user, roomId));
  const deliveries = new Deliveries();
  const client = new HttpClient(bench.client.address);
  const listeners = await Listeners.open(bench.client.address, users, deliveries.heard);
  const send = async (name: string): Promise<void> => {
    deliveries.sent(name, size);
    await sendMessage(client, admin, roomId, name, name);
    await deliveries.settled();
  };
  try {
    for (let index = 0; index < 3; index += 1) await send(`warm-${size}-${index}`);
    deliveries.latencies.length = 0;
    return await measureMemory(bench, 'fan-out', size, fannedOut * size, async () => {
      for (let index = 0; index < fannedOut; index += 1) await send(`all-${size}-${index}`);
      return {
        firstMs: percentile(deliveries.latencies, 0),
        p50Ms: percentile(deliveries.latencies, 0.5),
        p99Ms: percentile(deliveries.latencies, 0.99),
      };
    });
  } finally {
    await listeners.stop();
    client.close();
  }
}
