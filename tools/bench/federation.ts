import { own, ownString } from '@seneschal/matrix';
import { joinAs, type Peer } from '@seneschal/testing/peers';
import pg from 'pg';

import { fillMembers } from '../shared/big-room.ts';
import { createRoom, sendMessage, texts } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { type Bench, consumersRead, type Measurement, percentile } from './bench.ts';
import { amongPeers, deliver, messagesOf, type Neighbours, watchDeliveries } from './neighbours.ts';

const encode = encodeURIComponent;
/** Of the room that another server sends to. */
const members = 1000;

/** A room of local members, who need no accounts. */
async function filledRoom(bench: Bench, count: number): Promise<string> {
  const admin = await bench.admin();
  const roomId = await createRoom(bench.client, admin, { room_version: '10' });
  const database = new pg.Client(bench.env['SENESCHAL_DATABASE_URL']);
  await database.connect();
  try {
    const serverName = admin.userId.slice(admin.userId.indexOf(':') + 1);
    if (count > 1) await fillMembers(database, { roomId, count: count - 1, serverName });
    await consumersRead(database);
  } finally {
    await database.end();
  }
  return roomId;
}

async function joinAll({ server, peers }: Neighbours, roomId: string): Promise<void> {
  await parallel(peers, 4, async (peer) => {
    await joinAs(peer, server, mallory(peer), roomId);
  });
}

function mallory(peer: Peer): string {
  return `@mallory:${peer.serverName}`;
}

/** Messages of another server into a room of 1,000 members, in transactions of `size` events. */
export function receive(bench: Bench, size: number): Promise<Measurement> {
  return amongPeers(bench, 1, async ({ server, peers: [peer] }) => {
    if (peer === undefined) throw new Error('There is no peer.');
    const member = await joinAs(peer, server, mallory(peer), await filledRoom(bench, members - 1));
    const place = { eventId: member.join.eventId, depth: member.join.pdu.depth };
    const transactions = size === 1 ? 600 : Math.ceil(3000 / size);
    const warm = Array.from({ length: 20 }, () => messagesOf(peer, member, place, size));
    const batches = Array.from({ length: transactions }, () => messagesOf(peer, member, place, size));
    for (const [index, batch] of warm.entries()) await deliver(peer, server, `warm${size}x${index}`, batch);
    const items = transactions * size;
    const measured = await bench.measure('federation-receive', size, items, async () => {
      const started = performance.now();
      for (const [index, batch] of batches.entries()) await deliver(peer, server, `t${size}x${index}`, batch);
      return { 'PDUs/s': (items * 1000) / (performance.now() - started) };
    });
    const more = { ...measured.more, 'PDUs/s of a core': 1000 / measured.cpuPerItemMs };
    return { ...measured, more };
  });
}

function bodyOf(content: unknown): string {
  return ownString(content, 'body') ?? '';
}

/** Messages that are sent, one every so many ms. */
const sends = 60;
const everyMs = 250;

/** Messages of a local user that go to `size` other servers; per message and server. */
export function fanOutToServers(bench: Bench, size: number): Promise<Measurement> {
  return amongPeers(bench, size, async (neighbours) => {
    const admin = await bench.admin();
    const [roomId, apart] = [await filledRoom(bench, 1), await createRoom(bench.client, admin)];
    const { times, complete } = watchDeliveries(
      neighbours.peers,
      ({ content }) => /^message-\d+$/.exec(bodyOf(content))?.[0],
    );
    await joinAll(neighbours, roomId);
    return bench.measure('federation-send', size, sends * size, async () => {
      const [near, beside, far]: [number[], number[], number[]] = [[], [], []];
      const sentAt = new Map<string, number>();
      const send = async (room: string, name: string, taken: number[]): Promise<void> => {
        const started = performance.now();
        await sendMessage(bench.client, admin, room, `${size}-${name}`, name);
        taken.push(performance.now() - started);
      };
      const due = performance.now();
      await parallel([...Array(sends).keys()], sends, async (index) => {
        const waitMs = due + index * everyMs - performance.now();
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        sentAt.set(`message-${index}`, performance.now());
        await Promise.all([send(roomId, `message-${index}`, near), send(apart, `apart-${index}`, beside)]);
      });
      await complete(sends);
      for (const [name, all] of times) far.push(...all.map((time) => time - (sentAt.get(name) ?? time)));
      return {
        ...{ sendP50: percentile(near, 0.5), sendP99: percentile(near, 0.99) },
        ...{ besideP50: percentile(beside, 0.5), besideP99: percentile(beside, 0.99) },
        ...{ deliveryP50: percentile(far, 0.5), deliveryP99: percentile(far, 0.99) },
      };
    });
  });
}

const serversOfRoom = 50;

/** A room of `size` local members is emptied, which 50 other servers are to see; beside it one of local members alone. */
export function evacuateAmongServers(bench: Bench, size: number): Promise<Measurement> {
  return amongPeers(bench, serversOfRoom, async (neighbours) => {
    for (let count = 0; count < 2; count += 1) await evacuate(bench, await filledRoom(bench, size), size);
    const localMs = await evacuate(bench, await filledRoom(bench, size), size);
    const roomId = await filledRoom(bench, size);
    const { complete } = watchDeliveries(neighbours.peers, ({ content, state_key: userId }) =>
      own(content, 'membership') === 'leave' && typeof userId === 'string' ? userId : undefined,
    );
    await joinAll(neighbours, roomId);
    return bench.measure('federation-evacuate', size, size * serversOfRoom, async () => {
      const started = performance.now();
      const answeredMs = await evacuate(bench, roomId, size);
      await complete(size);
      const deliveredMs = performance.now() - started;
      return { localMs, answeredMs, ratio: answeredMs / localMs, deliveredMs };
    });
  });
}

async function evacuate(bench: Bench, roomId: string, size: number): Promise<number> {
  const { token } = await bench.admin();
  const started = performance.now();
  const path = `/_dendrite/admin/evacuateRoom/${encode(roomId)}`;
  const answer = await bench.client.expect('POST', path, { token });
  const affected = texts(answer['affected']).length;
  if (affected !== size) throw new Error(`${affected} affected instead of ${size}.`);
  return performance.now() - started;
}
