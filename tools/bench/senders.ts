import { createRoom, joinRoom, sendMessage, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { type Bench, type Measurement, percentile } from './bench.ts';
import { measureMemory } from './memory.ts';

const sends = 1000;

/** `size` users who each send one message after the other, all of them into one room. */
export async function sendersOfOneRoom(bench: Bench, size: number): Promise<Measurement> {
  const users = await bench.users(size);
  const roomId = await createRoom(bench.client, await bench.admin());
  await parallel(users, 8, (user) => joinRoom(bench.client, user, roomId));
  return sendAll(
    bench,
    'senders-one-room',
    users.map((user) => ({ user, roomId })),
  );
}

/** `size` users who each send one message after the other, each into a room of its own. */
export async function sendersOfManyRooms(bench: Bench, size: number): Promise<Measurement> {
  const places: Place[] = [];
  for (const user of await bench.users(size)) {
    places.push({ user, roomId: await createRoom(bench.client, user) });
  }
  return sendAll(bench, 'senders-many-rooms', places);
}

interface Place {
  user: User;
  roomId: string;
}

async function sendAll(bench: Bench, job: string, places: readonly Place[]): Promise<Measurement> {
  const each = Math.ceil(sends / places.length);
  const times: number[] = [];
  const run = async (part: string, count: number): Promise<void> => {
    await parallel(places, places.length, async ({ user, roomId }) => {
      for (let index = 0; index < count; index += 1) {
        const started = performance.now();
        await sendMessage(bench.client, user, roomId, `${part}${index}`, 'Call me Ishmael.');
        times.push(performance.now() - started);
      }
    });
  };
  await run('warm', Math.ceil(each / 10));
  times.length = 0;
  return measureMemory(bench, job, places.length, each * places.length, async () => {
    const started = performance.now();
    await run('many', each);
    return {
      'sends/s': (each * places.length * 1000) / (performance.now() - started),
      p50Ms: percentile(times, 0.5),
      p99Ms: percentile(times, 0.99),
    };
  });
}
