import pg from 'pg';

import { fillRoom } from '../shared/big-room.ts';
import { createRoom, sendMessage, text } from '../shared/matrix.ts';
import { type Bench, consumersRead, type Measurement, percentile } from './bench.ts';
import { measureMemory } from './memory.ts';

const pages = 200;
const perPage = 100;

/** Pages of the history of a room of `size` events, backwards: the newest ones, then the oldest ones. */
export async function paginate(bench: Bench, size: number): Promise<Measurement> {
  const admin = await bench.admin();
  const roomId = await createRoom(bench.client, admin);
  const database = new pg.Client(bench.env['SENESCHAL_DATABASE_URL']);
  await database.connect();
  try {
    await fillRoom(database, { roomId, sender: admin.userId, count: size });
    await sendMessage(bench.client, admin, roomId, `last-${size}`, 'Call me Ishmael.');
    await consumersRead(database);
  } finally {
    await database.end();
  }
  const page = async (query: Record<string, string>): Promise<string | undefined> => {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages`;
    const answer = await bench.client.expect('GET', path, {
      token: admin.token,
      query: { ...query, limit: String(perPage) },
    });
    return answer['end'] === undefined ? undefined : text(answer['end']);
  };
  /** Times of pages one after the other, as many as there are up to a number. */
  const run = async (direction: 'b' | 'f'): Promise<number[]> => {
    const times: number[] = [];
    for (let from: string | undefined = ''; from !== undefined && times.length < pages / 2;) {
      const started = performance.now();
      from = await page({ dir: direction, ...(from === '' ? {} : { from }) });
      times.push(performance.now() - started);
    }
    return times;
  };
  await page({ dir: 'b' });
  const count = Math.min(pages, (2 * size) / perPage);
  return measureMemory(bench, 'messages', size, count, async () => {
    const newest = await run('b');
    const oldest = await run('f');
    return {
      newestP50Ms: percentile(newest, 0.5),
      newestP99Ms: percentile(newest, 0.99),
      oldestP50Ms: percentile(oldest, 0.5),
      oldestP99Ms: percentile(oldest, 0.99),
    };
  });
}
