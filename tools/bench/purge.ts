import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { fillRoom } from '../shared/big-room.ts';
import { createRoom, sendMessage, type User } from '../shared/matrix.ts';
import { type Bench, consumersRead, type Measurement, percentile } from './bench.ts';
import { memoryOf } from './cpu.ts';

/** Messages that are sent one after the other while nothing else happens; as many again while rooms are purged. */
const sends = 600;
/** Rooms of 50,000 events are purged so quickly that several of them are needed for as many messages. */
const mostPurges = 8;

interface Ground {
  bench: Bench;
  admin: User;
  database: pg.Client;
}

/**
 * A room of `size` events is purged by one call, alone. Then messages are sent into another room, in turns while
 * nothing happens and while rooms of that size are purged.
 */
export async function purgeRoom(bench: Bench, size: number): Promise<Measurement> {
  const database = new pg.Client(bench.env['SENESCHAL_DATABASE_URL']);
  await database.connect();
  try {
    const ground = { bench, admin: await bench.admin(), database };
    const purged = await purgeAlone(ground, size);
    return { ...purged, more: { ...purged.more, ...(await sendBeside(ground, size)) } };
  } finally {
    await database.end();
  }
}

async function purgeAlone(ground: Ground, size: number): Promise<Measurement> {
  const { bench } = ground;
  const roomId = await bigRoom(ground, size);
  const before = memoryOf(bench.pids.server).now;
  let highest = before;
  const samples = setInterval(() => {
    highest = Math.max(highest, memoryOf(bench.pids.server).now);
  }, 20);
  try {
    return await bench.measure('purge-room', size, size, async () => {
      await purge(ground, roomId);
      return { beforeMiB: before, grewMiB: highest - before };
    });
  } finally {
    clearInterval(samples);
  }
}

/** Such a room, of which all that follows events has heard, and which PostgreSQL has nothing more to tidy up in. */
async function bigRoom({ bench, admin, database }: Ground, size: number): Promise<string> {
  const roomId = await createRoom(bench.client, admin);
  await fillRoom(database, { roomId, sender: admin.userId, count: size });
  await sendMessage(bench.client, admin, roomId, randomBytes(8).toString('hex'), 'Call me Ishmael.');
  await consumersRead(database);
  await database.query('VACUUM ANALYZE');
  await database.query('CHECKPOINT');
  return roomId;
}

async function purge({ bench, admin }: Ground, roomId: string): Promise<void> {
  const path = `/_dendrite/admin/purgeRoom/${encodeURIComponent(roomId)}`;
  const { status } = await bench.client.request('POST', path, { token: admin.token });
  if (status !== 200) throw new Error(`The purge was answered ${status}.`);
}

/** Times of messages into another room, without and with purges beside them. */
async function sendBeside(ground: Ground, size: number): Promise<Record<string, number>> {
  const other = await createRoom(ground.bench.client, ground.admin);
  const idle: number[] = [];
  const busy: number[] = [];
  await send(ground, other, 100, () => false);
  for (let purges = 0; purges < mostPurges && busy.length < sends; purges += 1) {
    const roomId = await bigRoom(ground, size);
    idle.push(...(await send(ground, other, Math.ceil(sends / mostPurges), () => false)));
    let isOver = false;
    const purging = purge(ground, roomId).finally(() => {
      isOver = true;
    });
    busy.push(...(await send(ground, other, sends, () => isOver)));
    await purging;
  }
  return {
    sendP50IdleMs: percentile(idle, 0.5),
    sendP50BusyMs: percentile(busy, 0.5),
    sendP99IdleMs: percentile(idle, 0.99),
    sendP99BusyMs: percentile(busy, 0.99),
    sendsIdle: idle.length,
    sendsBusy: busy.length,
  };
}

/** How long messages take one after the other, so many of them or until it is over. */
async function send(
  { bench, admin }: Ground,
  roomId: string,
  most: number,
  isOver: () => boolean,
): Promise<number[]> {
  const run = randomBytes(4).toString('hex');
  const taken: number[] = [];
  while (taken.length < most && !isOver()) {
    const started = performance.now();
    await sendMessage(bench.client, admin, roomId, `${run}${taken.length}`, 'Call me Ishmael.');
    taken.push(performance.now() - started);
  }
  return taken;
}
