import pg from 'pg';

import { fillMembers, fillRoom } from '../shared/big-room.ts';
import { createRoom, joinRoom, sendMessage, type User } from '../shared/matrix.ts';
import { type Bench, consumersRead, type Measurement, percentile } from './bench.ts';
import { measureMemory } from './memory.ts';

const encode = encodeURIComponent;

interface Ground {
  bench: Bench;
  admin: User;
  database: pg.Client;
}

async function onGround<T>(bench: Bench, work: (ground: Ground) => Promise<T>): Promise<T> {
  const database = new pg.Client(bench.env['SENESCHAL_DATABASE_URL']);
  await database.connect();
  try {
    return await work({ bench, admin: await bench.admin(), database });
  } finally {
    await database.end();
  }
}

/** Members that are written into the room, who need no accounts. */
async function fillWithMembers(ground: Ground, roomId: string, count: number, first = 1): Promise<void> {
  const serverName = ground.admin.userId.split(':').slice(1).join(':');
  await fillMembers(ground.database, { roomId, count, first, serverName });
}

/** Everything that follows the rooms has read them, and PostgreSQL has tidied up. */
async function settle({ bench, admin, database }: Ground, roomId: string): Promise<void> {
  await sendMessage(bench.client, admin, roomId, `settle-${roomId}`, 'Call me Ishmael.');
  await consumersRead(database);
  await database.query('VACUUM ANALYZE');
  await database.query('CHECKPOINT');
}

const rounds = 15;
const perRound = 20;
const fewMembers = 10;

/** Messages into a room of ten members and into one of `size`, by turns, so that both have the same machine. */
export function sendLarge(bench: Bench, size: number): Promise<Measurement> {
  return onGround(bench, async (ground) => {
    const { admin } = ground;
    const [few, many] = [await createRoom(bench.client, admin), await createRoom(bench.client, admin)];
    await fillWithMembers(ground, few, fewMembers - 1);
    await fillWithMembers(ground, many, size - 1, fewMembers);
    await settle(ground, few);
    await settle(ground, many);
    const costs = new Map([few, many].map((roomId) => [roomId, { times: [] as number[], cpuMs: 0 }]));
    const round = async (roomId: string, name: string): Promise<void> => {
      const cost = costs.get(roomId) ?? { times: [], cpuMs: 0 };
      const [serverBefore = 0, postgresBefore = 0] = bench.cpu();
      for (let index = 0; index < perRound; index += 1) {
        const started = performance.now();
        await sendMessage(bench.client, admin, roomId, `${name}-${index}`, 'Call me Ishmael.');
        cost.times.push(performance.now() - started);
      }
      // What is done after the answer belongs to it.
      await consumersRead(ground.database);
      const [server = 0, postgres = 0] = bench.cpu();
      cost.cpuMs += server - serverBefore + postgres - postgresBefore;
    };
    for (const roomId of [few, many]) await round(roomId, 'warm');
    for (const cost of costs.values()) Object.assign(cost, { times: [], cpuMs: 0 });
    return measureMemory(bench, 'send-large', size, 2 * rounds * perRound, async () => {
      for (let count = 0; count < rounds; count += 1) {
        const order = count % 2 === 0 ? [few, many] : [many, few];
        for (const roomId of order) await round(roomId, `round-${count}`);
      }
      return compare(costs.get(few), costs.get(many));
    });
  });
}

interface Cost {
  times: number[];
  cpuMs: number;
}

function compare(few: Cost | undefined, many: Cost | undefined): Record<string, number> {
  if (few === undefined || many === undefined) throw new Error('Nothing was measured.');
  const [fewMs, manyMs] = [percentile(few.times, 0.5), percentile(many.times, 0.5)];
  return {
    fewP50Ms: fewMs,
    manyP50Ms: manyMs,
    ratio: manyMs / fewMs,
    fewCpuMs: few.cpuMs / few.times.length,
    manyCpuMs: many.cpuMs / many.times.length,
    cpuRatio: many.cpuMs / few.cpuMs,
  };
}

/** Events for each member of the room whose state is looked up. */
const eventsForMember = 10;
/** Members come in so many groups, and their messages after each. */
const groups = 10;
const repetitions = 20;

/**
 * A room of `size` members and ten times as many events: the time of a send, a join and a look at its state as of
 * an event in the middle, and what it takes on disk for each event.
 */
export function bigRoom(bench: Bench, size: number): Promise<Measurement> {
  return onGround(bench, async (ground) => {
    const { admin, database } = ground;
    const roomId = await createRoom(bench.client, admin);
    await settle(ground, roomId);
    const before = await bytesOfRooms(database);
    await fillBigRoom(ground, roomId, size);
    await settle(ground, roomId);
    const after = await bytesOfRooms(database);
    const times = await timeBigRoom(ground, roomId);
    const events = size * eventsForMember;
    const more = {
      ...times.more,
      bytesPerEvent: (after.all - before.all) / events,
      stateBytesPerEvent: (after.state - before.state) / events,
      ...(await naiveBytes(database, roomId)),
    };
    return { ...times, size, more };
  });
}

async function fillBigRoom(ground: Ground, roomId: string, size: number): Promise<void> {
  const { admin, database } = ground;
  const members = size / groups;
  for (let group = 0; group < groups; group += 1) {
    await fillWithMembers(ground, roomId, members, 1 + group * members);
    await fillRoom(database, { roomId, sender: admin.userId, count: members * (eventsForMember - 1) });
  }
}

async function timeBigRoom({ bench, admin, database }: Ground, roomId: string): Promise<Measurement> {
  const joining = await bench.users(repetitions);
  const old = encode(await eventInTheMiddle(database, roomId));
  const look = (filter: object): Promise<unknown> =>
    bench.client.expect('GET', `/_matrix/client/v3/rooms/${encode(roomId)}/context/${old}`, {
      token: admin.token,
      query: { limit: '0', filter: JSON.stringify(filter) },
    });
  await look({});
  const join: number[] = [];
  const send: number[] = [];
  const state: number[] = [];
  const lazyState: number[] = [];
  return measureMemory(bench, 'big-room', 0, repetitions, async () => {
    for (const [index, user] of joining.entries()) {
      join.push(await timed(() => joinRoom(bench.client, user, roomId)));
      send.push(await timed(() => sendMessage(bench.client, admin, roomId, `one-${index}`, 'Whale.')));
      state.push(await timed(() => look({})));
      lazyState.push(await timed(() => look({ lazy_load_members: true })));
    }
    return {
      joinP50Ms: percentile(join, 0.5),
      sendP50Ms: percentile(send, 0.5),
      stateP50Ms: percentile(state, 0.5),
      lazyStateP50Ms: percentile(lazyState, 0.5),
    };
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

interface Bytes {
  /** Of all tables of the room server, with their indexes. */
  all: number;
  /** Of what the state as of any event is found by: an index of the events, the current state and the memberships. */
  state: number;
}

async function bytesOfRooms(database: pg.Client): Promise<Bytes> {
  const { rows } = await database.query<{ all: string; state: string }>(
    `SELECT sum(pg_total_relation_size(oid)) FILTER (WHERE relkind = 'r') AS all,
      sum(pg_total_relation_size(oid)) FILTER (WHERE relname IN ('roomserver_events_state',
        'roomserver_current_state', 'roomserver_memberships', 'roomserver_event_states')) AS state
    FROM pg_class WHERE relname LIKE 'roomserver%'`,
  );
  return { all: Number(rows[0]?.all ?? 0), state: Number(rows[0]?.state ?? 0) };
}

async function eventInTheMiddle(database: pg.Client, roomId: string): Promise<string> {
  const { rows } = await database.query<{ event_id: string }>(
    `SELECT event_id FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
      WHERE room_id = $1 AND type = 'm.room.message' ORDER BY position
      OFFSET (SELECT count(*) / 2 FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
        WHERE room_id = $1 AND type = 'm.room.message') LIMIT 1`,
    [roomId],
  );
  return rows[0]?.event_id ?? '';
}

/**
 * What the state as of every event would take naively, in bytes for each event: the list of the state's events, of 8
 * bytes each, beside each event, or only beside each event that changes the state.
 */
async function naiveBytes(database: pg.Client, roomId: string): Promise<Record<string, number>> {
  const { rows } = await database.query<{ events: string; lists: string; changed: string }>(
    `SELECT count(*) AS events, sum(entries) AS lists, sum(entries) FILTER (WHERE is_state) AS changed FROM (
      SELECT state_key IS NOT NULL AS is_state, count(state_key) OVER (ORDER BY position) AS entries
      FROM roomserver_events JOIN roomserver_rooms USING (room_nid) WHERE room_id = $1
    ) AS e`,
    [roomId],
  );
  const [{ events, lists, changed } = { events: 1, lists: 0, changed: 0 }] = rows;
  return {
    naiveBytesPerEvent: (8 * Number(lists)) / Number(events),
    naiveBytesPerChange: (8 * Number(changed)) / Number(events),
  };
}
