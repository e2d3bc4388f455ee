import { sql } from 'kysely';

import { itRefusesOthers, Stage } from './stage.ts';

const path = '/_dendrite/admin/emptyRooms';

describe('emptyRooms', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  itRefusesOthers(
    () => stage,
    'GET',
    () => [path],
  );

  it('lists rooms that nobody is in, those with nothing but invites among them', async () => {
    expect(await stage.ask('GET', path)).toEqual([200, { empty_rooms: [] }]);
    const [full, left, invited] = [
      await stage.room(stage.user),
      await stage.room(stage.user),
      await stage.room(stage.user),
    ];
    await stage.change(invited, 'invite', stage.user, stage.admin);
    for (const roomId of [left, invited]) await stage.change(roomId, 'leave', stage.user);
    expect(await stage.ask('GET', path)).toEqual([200, { empty_rooms: [left, invited] }]);
    expect(await stage.user.joinedRooms()).toContain(full);
  });

  it('pages with from and limit', async () => {
    const [, all] = await stage.ask('GET', path);
    const found: unknown[] = [];
    for (let from = ''; ;) {
      const [, page] = await stage.ask('GET', `${path}?limit=1${from}`);
      found.push(...(page['empty_rooms'] as unknown[]));
      if (page['next_token'] === undefined) break;
      from = `&from=${page['next_token'] as string}`;
    }
    expect(found).toEqual(all['empty_rooms']);
    expect((await stage.admin.request('GET', `${path}?from=x`)).status).toBe(400);
    expect((await stage.admin.request('GET', `${path}?limit=x`)).status).toBe(400);
  });

  it('M1: lists 100,000 rooms without a query for each', async () => {
    const count = 100_000;
    await sql`
      INSERT INTO roomserver_rooms (room_id, room_version, forward_extremities, depth, last_position,
        state_position, joined_members, invited_members, created_ts)
      SELECT '!many' || n || ':test.example', '12', '{}', 1, 1, 1, 0, 0, 0 FROM generate_series(1, ${count}::int) AS n
    `.execute(stage.world.sql);
    const started = performance.now();
    const [status, body] = await stage.ask('GET', path);
    expect([status, (body['empty_rooms'] as unknown[]).length]).toEqual([200, count + 2]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
