import { HttpClient } from '../shared/client.ts';
import { startFleet } from '../shared/fleet.ts';
import { createRoom, joinRoom, registerUser, sendMessage, texts, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { Bench, type Measurement, type Pids } from './bench.ts';

interface Scale {
  env: Record<string, string | undefined>;
  secret: string;
  pids: Pick<Pids, 'postgres' | 'redis'>;
}

const rooms = 16;
const sends = 2000;
const evacuations = { rooms: 12, members: 250 };

/**
 * Messages into many rooms at once, and evacuations of several rooms at once, with so many worker processes beside
 * one client and one admin gateway. Each room has one writer at a time, so only several rooms can gain by more workers.
 */
export async function scale({ env, secret, pids }: Scale, workers: number): Promise<Measurement[]> {
  const fleet = await startFleet({ programs: import.meta.dirname, env, workers });
  const client = new HttpClient(fleet.clientAddresses[0] ?? '');
  const admin = new HttpClient(fleet.adminAddress);
  try {
    const [first = 0, ...others] = fleet.pids;
    const all = { server: first, others, postgres: pids.postgres, redis: pids.redis };
    // Accounts are made by the admin gateway, and everything else is done by users.
    const users: User[] = [];
    const names = Array.from({ length: evacuations.members }, (_, at) => `scale-${workers}-${at}`);
    await parallel(names, 8, async (name) => void users.push(await registerUser(admin, secret, name)));
    const root = await registerUser(admin, secret, `scale-${workers}-root`, true);
    const bench = new Bench(client, secret, all, env);
    return [
      await measureSends(bench, users.slice(0, rooms), workers),
      await measureEvacuations({ bench, admin, root, users, workers }),
    ];
  } finally {
    client.close();
    admin.close();
    await fleet.stop();
  }
}

async function measureSends(bench: Bench, users: readonly User[], workers: number): Promise<Measurement> {
  const places: { user: User; roomId: string }[] = [];
  for (const user of users) places.push({ user, roomId: await createRoom(bench.client, user) });
  const send = async (index: number, part: string): Promise<void> => {
    const place = places[index % places.length];
    if (place === undefined) throw new Error('There is no room.');
    await sendMessage(bench.client, place.user, place.roomId, `${part}${index}`, 'Call me Ishmael.');
  };
  // What a process does for the first time costs more.
  await parallel(indexes(places.length * 4 * workers), rooms, (index) => send(index, 'warm'));
  return bench.measure('scale: sends', workers, sends, async () => {
    const started = performance.now();
    await parallel(indexes(sends), rooms, (index) => send(index, 'many'));
    return { 'sends/s': (sends * 1000) / (performance.now() - started) };
  });
}

interface Evacuating {
  bench: Bench;
  admin: HttpClient;
  root: User;
  users: readonly User[];
  workers: number;
}

async function measureEvacuations({ bench, admin, root, users, workers }: Evacuating): Promise<Measurement> {
  const roomIds: string[] = [];
  for (let count = 0; count < evacuations.rooms; count += 1) {
    const [creator, ...others] = users;
    if (creator === undefined) throw new Error('There are no users.');
    const roomId = await createRoom(bench.client, creator);
    await parallel(others, 8, (user) => joinRoom(bench.client, user, roomId));
    roomIds.push(roomId);
  }
  const items = evacuations.rooms * evacuations.members;
  return bench.measure('scale: evacuations', workers, items, async () => {
    const started = performance.now();
    await parallel(roomIds, evacuations.rooms, async (roomId) => {
      const path = `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`;
      const answer = await admin.expect('POST', path, { token: root.token });
      const affected = texts(answer['affected']).length;
      if (affected !== evacuations.members) throw new Error(`${affected} users left.`);
    });
    return { 'leaves/s': (items * 1000) / (performance.now() - started) };
  });
}

function indexes(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
