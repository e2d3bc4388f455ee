import { type SlidingSyncRequest, slidingSyncBody, userapi } from '@seneschal/contracts';
import { own } from '@seneschal/matrix';
import { roomserverReads } from '@seneschal/roomserver';
import { userapiReads } from '@seneschal/userapi';
import { sql } from 'kysely';

import { Housekeeping } from '../src/housekeeping.ts';
import { type SyncapiReads, syncapiReads } from '../src/index.ts';
import type { SyncapiTables } from '../src/storage/tables.ts';
import { Gateway } from './gateway.ts';

let gateway: Gateway;
let other: SyncapiReads;
beforeAll(async () => {
  gateway = await Gateway.open(['userapi', 'roomserver', 'syncapi']);
  const { bus, database, logger } = gateway.platform;
  other = syncapiReads({ bus, database, logger, ...readsOf(gateway) });
}, 60_000);
afterAll(async () => {
  await other.stop();
  await gateway.stop();
});

function readsOf({ platform }: Gateway): Pick<Parameters<typeof syncapiReads>[0], 'roomserver' | 'userapi'> {
  const users = userapiReads(platform.database, platform.config);
  return { roomserver: roomserverReads(platform.database, platform.logger, users), userapi: users };
}

function request(userId: string, more: Partial<SlidingSyncRequest> = {}): SlidingSyncRequest {
  const lists = { all: { ranges: [[0, 9]], timeline_limit: 5 } };
  return {
    userId,
    deviceId: 'D',
    pos: undefined,
    timeoutMs: 0,
    body: slidingSyncBody.parse({ lists }),
    signal: new AbortController().signal,
    ...more,
  };
}

async function posOf(userId: string): Promise<string> {
  return (await gateway.syncapi.slidingSync(request(userId)))['pos'] as string;
}

async function rowsOf(userId: string): Promise<{ connections: number; rooms: number }> {
  const found = await sql<{ connections: number; rooms: number }>`
    SELECT count(DISTINCT connection_id) AS connections, count(r.room_id) AS rooms
    FROM syncapi_connections LEFT JOIN syncapi_connection_rooms r USING (connection_id) WHERE user_id = ${userId}
  `.execute(gateway.platform.database.tables<unknown>());
  return found.rows[0] ?? { connections: 0, rooms: 0 };
}

async function keepHouse(now: number): Promise<void> {
  const { database, logger } = gateway.platform;
  const housekeeping = new Housekeeping({
    db: database.tables<SyncapiTables>(),
    logger,
    ...readsOf(gateway),
  });
  await housekeeping.run(now);
  await housekeeping.stop();
}

describe('a connection of sliding sync', () => {
  it('goes on at another gateway, with Redis emptied in between', async () => {
    const room = await gateway.room('alice');
    const pos = await posOf(room.userId);
    await gateway.redis.flush();
    await gateway.say(room, 'elsewhere');
    const answer = await other.slidingSync(request(room.userId, { pos }));
    expect(JSON.stringify(own(answer, 'rooms'))).toContain('elsewhere');
    expect(JSON.stringify(own(answer, 'rooms'))).not.toContain('"initial":true');
  });

  it('answers who waits when the gateway is told at another one', async () => {
    const room = await gateway.room('bob');
    const pos = await posOf(room.userId);
    const waiting = other.slidingSync(request(room.userId, { pos, timeoutMs: 30_000 }));
    await gateway.say(room, 'wake up');
    expect(JSON.stringify(await waiting)).toContain('wake up');
  });

  it('writes nothing for a client that has gone, who then is told the same', async () => {
    const room = await gateway.room('carol');
    const pos = await posOf(room.userId);
    const gone = new AbortController();
    gone.abort();
    await gateway.say(room, 'lost');
    await gateway.syncapi.slidingSync(request(room.userId, { pos, signal: gone.signal }));
    await gateway.syncapi.slidingSync(request(room.userId, { signal: gone.signal }));
    expect(await rowsOf(room.userId)).toEqual({ connections: 1, rooms: 1 });
    expect(JSON.stringify(await gateway.syncapi.slidingSync(request(room.userId, { pos })))).toContain(
      'lost',
    );
  });

  it('is told the same by requests that come at once, and goes on with any of the answers', async () => {
    const room = await gateway.room('dave');
    const pos = await posOf(room.userId);
    await gateway.say(room, 'twice');
    const answers = await Promise.all(
      [gateway.syncapi, other, gateway.syncapi].map((reads) =>
        reads.slidingSync(request(room.userId, { pos })),
      ),
    );
    for (const answer of answers) expect(JSON.stringify(answer)).toContain('twice');
    const next = await other.slidingSync(request(room.userId, { pos: answers[1]!['pos'] as string }));
    expect(next['rooms']).toEqual({});
    expect(await rowsOf(room.userId)).toEqual({ connections: 1, rooms: 1 });
  });

  it('keeps few answers of a client that never comes back with one', async () => {
    const room = await gateway.room('erin');
    const pos = await posOf(room.userId);
    await gateway.say(room, 'again');
    for (let n = 0; n < 25; n += 1) await gateway.syncapi.slidingSync(request(room.userId, { pos }));
    expect((await rowsOf(room.userId)).rooms).toBeLessThanOrEqual(21);
  });
});

describe('the housekeeping', () => {
  it('forgets connections that nobody used for a week, and no others', async () => {
    const { userId } = await gateway.room('frank');
    const { bus } = gateway.platform;
    const connection = { ip: '127.0.0.1', userAgent: 'test' };
    await bus.call(userapi.createDevice, { userId, deviceId: 'D', tokenHash: 'hash of frank', connection });
    await posOf(userId);
    await keepHouse(Date.now());
    expect(await rowsOf(userId)).toEqual({ connections: 1, rooms: 1 });
    await keepHouse(Date.now() + 8 * 24 * 3_600_000);
    expect(await rowsOf(userId)).toEqual({ connections: 0, rooms: 0 });
  });

  it('forgets the connections of devices that are gone', async () => {
    const { userId } = await gateway.room('grace');
    await posOf(userId);
    await keepHouse(Date.now());
    expect(await rowsOf(userId)).toEqual({ connections: 0, rooms: 0 });
  });
});
