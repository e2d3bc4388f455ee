import type { TestAnswer, TestRequest } from '@seneschal/testing';
import pg from 'pg';

import { parallel } from '../../../tools/shared/parallel.ts';
import { Fleet, type User } from './fleet.ts';

interface Synced {
  next: string;
  joined: Record<string, unknown>;
  left: Record<string, unknown>;
}

const v3 = '/_matrix/client/v3';
const encode = encodeURIComponent;

describe('the services of docker-compose.yml as processes of their own', () => {
  let fleet: Fleet;
  let admin: User;
  beforeAll(async () => {
    fleet = await Fleet.start();
    admin = await fleet.register('admin', true);
  }, 120_000);
  afterAll(() => fleet.stop());

  /** Each request goes to the other client gateway than the one before. */
  async function ask(
    user: User,
    method: string,
    path: string,
    request: TestRequest = {},
  ): Promise<Record<string, unknown>> {
    const asked = { token: user.token, ...request };
    const answer = await fleet.ask('client-gateway', method, `${v3}${path}`, asked);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  async function administer(path: string, request: TestRequest = {}): Promise<TestAnswer> {
    const asked = { token: admin.token, ...request };
    return fleet.ask('admin-gateway', 'POST', `/_dendrite/admin/${path}`, asked);
  }

  async function createRoom(user: User): Promise<string> {
    return (await ask(user, 'POST', '/createRoom', { body: { preset: 'public_chat' } }))['room_id'] as string;
  }

  async function join(user: User, roomId: string): Promise<void> {
    await ask(user, 'POST', `/join/${encode(roomId)}`, { body: {} });
  }

  async function say(user: User, roomId: string, text: string): Promise<void> {
    const path = `/rooms/${encode(roomId)}/send/m.room.message/${text}`;
    await ask(user, 'PUT', path, { body: { msgtype: 'm.text', body: text } });
  }

  async function sync(user: User, since?: string, timeout = 0): Promise<Synced> {
    const query = { timeout, ...(since === undefined ? {} : { since }) };
    const answer = await ask(user, 'GET', '/sync', { query });
    const rooms = answer['rooms'] as Record<string, Record<string, unknown>> | undefined;
    return {
      next: String(answer['next_batch']),
      joined: rooms?.['join'] ?? {},
      left: rooms?.['leave'] ?? {},
    };
  }

  it('publish one signing key', async () => {
    const path = '/_matrix/key/v2/server';
    const keys = await Promise.all(
      [0, 1].map((index) => fleet.askReplica(index, 'federation-gateway', 'GET', path)),
    );
    expect(keys.map((key) => key.status)).toEqual([200, 200]);
    expect(keys[0]?.body['verify_keys']).toEqual(keys[1]?.body['verify_keys']);
  });

  it('say that they are healthy, as the health checks ask', async () => {
    for (const service of ['worker', 'client-gateway', 'admin-gateway', 'federation-gateway'] as const) {
      for (const index of [0, 1]) {
        const { status } = await fleet.askReplica(index, service, 'GET', '/_dendrite/monitor/health');
        expect([service, status]).toEqual([service, 200]);
      }
    }
  });

  it('wake a long-poll at one gateway for a message sent at the other', async () => {
    const [alice, bob] = [await fleet.register('alice'), await fleet.register('bob')];
    const roomId = await createRoom(alice);
    await join(bob, roomId);
    let { next } = await sync(bob);
    const waits: number[] = [];
    for (const text of Array.from({ length: 15 }, (_, index) => `message${index}`)) {
      // The two requests of a round go to different gateways, as they take turns.
      const polled = sync(bob, next, 20_000).then((answer) => ({ ...answer, told: performance.now() }));
      await say(alice, roomId, text);
      const sent = performance.now();
      const answer = await polled;
      waits.push(answer.told - sent);
      next = answer.next;
      expect(JSON.stringify(answer.joined[roomId])).toContain(text);
    }
    waits.sort((a, b) => a - b);
    expect(waits[7]).toBeLessThan(500);
  });

  it('show the members of an evacuated room that they are out', async () => {
    const [carol, dave] = [await fleet.register('carol'), await fleet.register('dave')];
    const roomId = await createRoom(carol);
    await join(dave, roomId);
    const { next } = await sync(dave);
    const { status, body } = await administer(`evacuateRoom/${encode(roomId)}`);
    expect([status, body]).toEqual([200, { affected: [carol.userId, dave.userId] }]);
    const { joined, left } = await sync(dave, next, 20_000);
    expect([Object.keys(joined), Object.keys(left)]).toEqual([[], [roomId]]);
    const path = `${v3}/rooms/${encode(roomId)}/send/m.room.message/late`;
    const late = { token: dave.token, body: { msgtype: 'm.text', body: 'late' } };
    expect((await fleet.ask('client-gateway', 'PUT', path, late)).status).toBe(403);
  });

  it('show an evacuated user that all rooms are left', async () => {
    const [erin, frank] = [await fleet.register('erin'), await fleet.register('frank')];
    const rooms = [await createRoom(erin), await createRoom(erin), await createRoom(erin)];
    for (const roomId of rooms) await join(frank, roomId);
    const { next } = await sync(frank);
    const { status, body } = await administer(`evacuateUser/${encode(frank.userId)}`);
    expect(status).toBe(200);
    expect(new Set(body['affected'] as string[])).toEqual(new Set(rooms));
    expect(new Set(Object.keys((await sync(frank, next)).left))).toEqual(new Set(rooms));
    expect(await ask(frank, 'GET', '/joined_rooms')).toEqual({ joined_rooms: [] });
  });

  it('refuse, all of them, the token that a password reset ended', async () => {
    const grace = await fleet.register('grace');
    const password = 'another password';
    const reset = { body: { password, logout_devices: true } };
    const answer = await administer(`resetPassword/${encode(grace.userId)}`, reset);
    expect([answer.status, answer.body]).toEqual([200, { password_updated: true }]);
    const identifier = { type: 'm.id.user', user: 'grace' };
    const login = { body: { type: 'm.login.password', identifier, password } };
    for (const index of [0, 1]) {
      const old = { token: grace.token };
      const who = await fleet.askReplica(index, 'client-gateway', 'GET', `${v3}/account/whoami`, old);
      expect([who.status, who.body['errcode']]).toEqual([401, 'M_UNKNOWN_TOKEN']);
      const again = await fleet.askReplica(index, 'client-gateway', 'POST', `${v3}/login`, login);
      expect(again.status).toBe(200);
    }
  });

  it('G1: forget a purged room, every one of them, and know it again when it is restored', async () => {
    const [heidi, ivan] = [await fleet.register('heidi'), await fleet.register('ivan')];
    const body = { preset: 'public_chat', visibility: 'public', room_alias_name: 'ark' };
    const roomId = (await ask(heidi, 'POST', '/createRoom', { body }))['room_id'] as string;
    const room = `/rooms/${encode(roomId)}`;
    for (const round of ['first', 'second']) {
      await join(ivan, roomId);
      // Many enough that each worker writes to the room, and remembers it.
      for (let index = 0; index < 12; index += 1)
        await say(index % 2 ? heidi : ivan, roomId, `${round}${index}`);
      const { next } = await sync(ivan);
      const polled = [0, 1].map(() => sync(ivan, next, 20_000));
      expect((await administer(`purgeRoom/${encode(roomId)}?export=true`)).status).toBe(200);
      for (const answer of await Promise.all(polled)) expect(Object.keys(answer.left)).toEqual([roomId]);
      const looks = [
        ['GET', `${v3}${room}/messages?dir=b`, 403],
        ['GET', `${v3}${room}/state`, 403],
        ['PUT', `${v3}${room}/send/m.room.message/late`, 403],
        ['POST', `${v3}/join/${encode(roomId)}`, 404],
        ['GET', `${v3}/directory/room/${encode('#ark:test.example')}`, 404],
      ] as const;
      for (const index of [0, 1]) {
        for (const [method, path, status] of looks) {
          const request = { token: ivan.token, ...(method === 'GET' ? {} : { body: { body: 'late' } }) };
          const answer = await fleet.askReplica(index, 'client-gateway', method, path, request);
          expect([index, path, answer.status]).toEqual([index, path, status]);
        }
        const listed = await fleet.askReplica(index, 'client-gateway', 'GET', `${v3}/publicRooms`);
        expect(listed.text).not.toContain(roomId);
        expect(JSON.stringify(await sync(ivan))).not.toContain(roomId);
        expect((await administer(`evacuateRoom/${encode(roomId)}`)).status).toBe(404);
      }
      const asked = { token: admin.token, query: { room_id: roomId } };
      const records = await fleet.ask('admin-gateway', 'GET', '/_seneschal/v1/deletions', asked);
      const [record] = records.body['deletions'] as { export: string }[];
      const restore = { token: admin.token, body: { file: record?.export } };
      const restored = await fleet.ask('admin-gateway', 'POST', '/_seneschal/v1/rooms/import', restore);
      expect([restored.status, restored.body['room_id']]).toEqual([200, roomId]);
      await join(heidi, roomId);
    }
    await join(ivan, roomId);
    for (let index = 0; index < 12; index += 1) await say(index % 2 ? heidi : ivan, roomId, `last${index}`);
    expect(JSON.stringify((await sync(ivan)).joined[roomId])).toContain('last11');
  }, 60_000);

  /** A room with so many members, whose names sort in the order of their numbers. */
  async function makeCrowd(prefix: string, count: number): Promise<{ roomId: string; users: User[] }> {
    const users: User[] = [];
    await parallel(Array.from({ length: count }), 8, async (_, index) => {
      users[index] = await fleet.register(`${prefix}${String(index).padStart(4, '0')}`);
    });
    const roomId = await createRoom(users[0] as User);
    await parallel(users.slice(1), 8, (user) => join(user, roomId));
    return { roomId, users };
  }

  it.each([
    ['is lost', true],
    ['is committed all the same', false],
  ])(
    'finish an evacuation whose worker was killed in the middle, when its last transaction %s',
    async (_case, isLost) => {
      const { roomId, users } = await makeCrowd(isLost ? 'lost' : 'kept', 500);
      const everyone = users.map((user) => user.userId);
      const client = new pg.Client(fleet.databaseUrl);
      await client.connect();
      try {
        // The second half of the evacuation has to wait for the row of the last member.
        await client.query('BEGIN');
        await client.query('SELECT 1 FROM roomserver_memberships WHERE user_id = $1 FOR UPDATE', [
          everyone.at(-1),
        ]);
        const evacuated = administer(`evacuateRoom/${encode(roomId)}`);
        const { worker, backend } = await whoWaits(client);
        expect(await countLeft(client, everyone)).toBe(250);
        const replaced = fleet.replace(worker);
        if (isLost) await client.query('SELECT pg_terminate_backend($1)', [backend]);
        await client.query('ROLLBACK');
        await replaced;
        const { status, body } = await evacuated;
        expect([status, Object.keys(body)]).toEqual([200, ['affected']]);
        expect((body['affected'] as string[]).sort()).toEqual(everyone);
        expect(await countLeft(client, everyone)).toBe(everyone.length);
      } finally {
        await client.end();
      }
      for (const user of users.slice(-2)) {
        expect(await ask(user, 'GET', '/joined_rooms')).toEqual({ joined_rooms: [] });
      }
    },
    120_000,
  );
});

/** The worker that waits for a row that `client` has locked, and the process that PostgreSQL has for it. */
async function whoWaits(client: pg.Client): Promise<{ worker: string; backend: number }> {
  for (;;) {
    const { rows } = await client.query<{ application_name: string; pid: number }>(
      'SELECT application_name, pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))',
    );
    const [found] = rows;
    if (found !== undefined) return { worker: found.application_name, backend: found.pid };
  }
}

async function countLeft(client: pg.Client, userIds: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ left: number }>(
    `SELECT count(*)::int AS left FROM roomserver_memberships
      WHERE membership = 'leave' AND user_id = ANY($1)`,
    [userIds],
  );
  return rows[0]?.left ?? 0;
}
