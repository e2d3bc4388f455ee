import { createRoom, joinRoom, sendMessage, texts, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import type { Bench, Measurement } from './bench.ts';

const encode = encodeURIComponent;

async function roomOf(bench: Bench, users: readonly User[]): Promise<string> {
  const roomId = await createRoom(bench.client, await bench.admin());
  await parallel(users, 8, (user) => joinRoom(bench.client, user, roomId));
  return roomId;
}

/** A room of `size` local members is emptied by one call. */
export async function evacuateRoom(bench: Bench, size: number): Promise<Measurement> {
  const admin = await bench.admin();
  const roomId = await roomOf(bench, await bench.users(size - 1));
  return bench.measure('evacuate-room', size, size, async () => {
    const path = `/_dendrite/admin/evacuateRoom/${encode(roomId)}`;
    const answer = await bench.client.expect('POST', path, { token: admin.token });
    expectCount(texts(answer['affected']), size);
    return undefined;
  });
}

/** A user in `size` rooms is taken out of all of them by one call. */
export async function evacuateUser(bench: Bench, size: number): Promise<Measurement> {
  const admin = await bench.admin();
  const [user] = await bench.users(1);
  if (user === undefined) throw new Error('There is no user.');
  const rooms = Array.from({ length: size }, () => '');
  await parallel(rooms, 8, async () => {
    await joinRoom(bench.client, user, await createRoom(bench.client, admin));
  });
  return bench.measure('evacuate-user', size, size, async () => {
    const path = `/_dendrite/admin/evacuateUser/${encode(user.userId)}`;
    const answer = await bench.client.expect('POST', path, { token: admin.token });
    expectCount(texts(answer['affected']), size);
    return undefined;
  });
}

const joins = 40;

/** Joins one after the other into a room that has about `size` members by then. */
export async function join(bench: Bench, size: number): Promise<Measurement> {
  const before = Math.max(0, size - joins / 2);
  const users = await bench.users(before + joins);
  const roomId = await roomOf(bench, users.slice(0, before));
  return bench.measure('join', size, joins, async () => {
    for (const user of users.slice(before)) await joinRoom(bench.client, user, roomId);
    return undefined;
  });
}

const sends = 300;

/** Messages one at a time into a room of `size` members. */
export async function send(bench: Bench, size: number): Promise<Measurement> {
  const users = await bench.users(size);
  const roomId = await roomOf(bench, users);
  const sender = users[0] ?? (await bench.admin());
  return bench.measure('send', size, sends, async () => {
    for (let index = 0; index < sends; index += 1) {
      await sendMessage(bench.client, sender, roomId, `one${index}`, 'Call me Ishmael.');
    }
    return undefined;
  });
}

/** Messages, eight at once, into one room of `size` members. */
export async function sendParallel(bench: Bench, size: number): Promise<Measurement> {
  const users = await bench.users(Math.max(size, 8));
  const roomId = await roomOf(bench, users);
  const items = Array.from({ length: 2 * sends }, (_, index) => index);
  return bench.measure('send-parallel', size, items.length, async () => {
    const started = performance.now();
    await parallel(items, 8, async (index) => {
      const sender = users[index % 8];
      if (sender === undefined) throw new Error('There is no sender.');
      await sendMessage(bench.client, sender, roomId, `many${index}`, 'Call me Ishmael.');
    });
    return { eventsPerSecond: items.length / ((performance.now() - started) / 1000) };
  });
}

function expectCount(found: readonly string[], count: number): void {
  if (found.length !== count) throw new Error(`${found.length} affected instead of ${count}.`);
}
