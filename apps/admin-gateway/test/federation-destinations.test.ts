import { federation } from '@seneschal/contracts';
import { sql } from 'kysely';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/federation/destinations';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
  await destination('a-idle.example', 0);
  await destination('b-dead.example', 3, 'It did not answer.');
  await destination('c-late.example', 1);
  await queue('b-dead.example', [1, 2, 3]);
  await sql`INSERT INTO federation_blocked_servers VALUES ('c-late.example', NULL, '@admin:x', 1)`.execute(
    stage.world.sql,
  );
});
afterAll(() => stage.stop());

/** None of them is tried before the end of time, so that what the lists say does not change under the tests. */
async function destination(name: string, failures: number, error: string | null = null): Promise<void> {
  await sql`
    INSERT INTO federation_destinations (server_name, failures, next_try_ts, last_success_ts, last_failure_ts, last_error)
    VALUES (${name}, ${failures}, 9000000000000, 1000, 2000, ${error})
  `.execute(stage.world.sql);
}

async function queue(name: string, positions: readonly number[]): Promise<void> {
  await sql`
    INSERT INTO federation_outgoing SELECT unnest(${[...positions]}::bigint[]), '!r:x', '{}' ON CONFLICT DO NOTHING
  `.execute(stage.world.sql);
  await sql`INSERT INTO federation_queue SELECT ${name}, unnest(${[...positions]}::bigint[])`.execute(
    stage.world.sql,
  );
}

const namesOf = (body: Record<string, unknown>): string[] =>
  (body['destinations'] as { server_name: string }[]).map((one) => one.server_name);

describe('the list of destinations', () => {
  itRefusesOthers(
    () => stage,
    'GET',
    () => [path, `${path}/b-dead.example`, `${path}/none.example/rooms`],
  );

  it('tells how it goes with each', async () => {
    const [status, body] = await stage.ask('GET', path);
    expect(status).toBe(200);
    expect(body).toEqual({
      destinations: [
        expect.objectContaining({ server_name: 'a-idle.example', state: 'idle', next_try_ts: null }),
        {
          server_name: 'b-dead.example',
          state: 'backing_off',
          queue_length: 3,
          failures: 3,
          last_success_ts: 1000,
          last_failure_ts: 2000,
          last_error: 'It did not answer.',
          next_try_ts: 9_000_000_000_000,
        },
        expect.objectContaining({ server_name: 'c-late.example', state: 'blocked', queue_length: 0 }),
      ],
    });
  });

  it('goes page by page, and by state and name', async () => {
    const [, first] = await stage.ask('GET', `${path}?limit=2`);
    expect([namesOf(first), first['next_token']]).toEqual([
      ['a-idle.example', 'b-dead.example'],
      'b-dead.example',
    ]);
    const [, second] = await stage.ask('GET', `${path}?limit=2&from=${String(first['next_token'])}`);
    expect([namesOf(second), second['next_token']]).toEqual([['c-late.example'], undefined]);
    expect(namesOf((await stage.ask('GET', `${path}?state=backing_off`))[1])).toEqual(['b-dead.example']);
    expect(namesOf((await stage.ask('GET', `${path}?server_name=late`))[1])).toEqual(['c-late.example']);
    // Nothing in it is a pattern.
    expect(namesOf((await stage.ask('GET', `${path}?server_name=%25`))[1])).toEqual([]);
  });

  it.each(['state=gone', 'limit=x', 'limit=-1', `server_name=${'x'.repeat(300)}`, 'from=%00'])(
    'answers 400 for ?%s',
    async (query) => {
      const [status, body] = await stage.ask('GET', `${path}?${query}`);
      expect([status, body['errcode']]).toEqual([400, 'M_INVALID_PARAM']);
    },
  );
});

describe('one destination', () => {
  it('is shown as in the list; another is 404, and what is no name 400', async () => {
    expect((await stage.ask('GET', `${path}/b-dead.example`))[1]).toMatchObject({ queue_length: 3 });
    for (const [name, status, errcode] of [
      ['none.example', 404, 'M_NOT_FOUND'],
      ['no%20name', 400, 'M_INVALID_PARAM'],
    ] as const) {
      for (const [method, rest] of [
        ['GET', ''],
        ['GET', '/rooms'],
        ['POST', '/reset'],
      ] as const) {
        const answer = await stage.admin.request(method, `${path}/${name}${rest}`);
        expect(errorOf(answer)).toEqual([status, errcode]);
      }
    }
  });

  it('has its rooms, page by page', async () => {
    const rooms = await Promise.all([1, 2, 3].map(() => stage.room(stage.admin)));
    await sql`
      INSERT INTO roomserver_room_servers SELECT room_nid, 'b-dead.example', 7 FROM roomserver_rooms
      WHERE room_id = ANY(${rooms}::text[])
    `.execute(stage.world.sql);
    const [, first] = await stage.ask('GET', `${path}/b-dead.example/rooms?limit=2`);
    const next = encodeURIComponent(String(first['next_token']));
    const [, second] = await stage.ask('GET', `${path}/b-dead.example/rooms?limit=2&from=${next}`);
    const found = [first, second].flatMap((page) => page['rooms'] as { room_id: string }[]);
    expect(found.map((one) => one.room_id).sort()).toEqual([...rooms].sort());
    expect(found[0]).toMatchObject({ joined_members: 7 });
    expect(second['next_token']).toBeUndefined();
    expect((await stage.ask('GET', `${path}/a-idle.example/rooms`))[1]).toEqual({ rooms: [] });
  });

  it('is tried at once after a reset, twice and two at once are the same', async () => {
    await destination('127.0.0.1:1', 9, 'old');
    await queue('127.0.0.1:1', [9]);
    const reset = (): Promise<[number, Record<string, unknown>]> =>
      stage.ask('POST', `${path}/127.0.0.1:1/reset`);
    const answers = await Promise.all([reset(), reset()]);
    expect(answers.map(([status]) => status)).toEqual([200, 200]);
    // It is tried, fails anew, and has begun to count again.
    let failures = 0;
    while (failures === 0) failures = Number((await stage.ask('GET', `${path}/127.0.0.1:1`))[1]['failures']);
    const [, tried] = await stage.ask('GET', `${path}/127.0.0.1:1`);
    expect(tried).toMatchObject({ state: 'backing_off', failures: 1 });
    expect(tried['last_error']).toMatch(/address/);
  });
});

it('federation.resetDestination, blockServer and unblockServer refuse what there is not', async () => {
  const { bus } = stage.world.homeserver.platform;
  const unknown = { serverName: 'none.example' };
  await expect(bus.call(federation.resetDestination, unknown)).rejects.toMatchObject({ status: 404 });
  await expect(bus.call(federation.unblockServer, unknown)).rejects.toMatchObject({ status: 404 });
  const block = { ...unknown, note: null, blockedBy: '@admin:x' };
  expect(await bus.call(federation.blockServer, block)).toMatchObject(block);
  expect(await bus.call(federation.unblockServer, unknown)).toEqual({});
});
