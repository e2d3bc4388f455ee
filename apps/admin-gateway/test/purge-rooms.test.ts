import { sql } from 'kysely';

import { itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/rooms/purge';

describe('rooms/purge', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  itRefusesOthers(
    () => stage,
    'POST',
    () => [path],
  );

  async function named(name: string): Promise<string> {
    return stage.user.createRoom({ name });
  }

  async function roomsLeft(): Promise<string[]> {
    return stage.user.joinedRooms();
  }

  it('only lists what it would delete, unless it is told to', async () => {
    const roomId = await named('Listed');
    const [status, body] = await stage.ask('POST', path, { filter: { name: 'Listed' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ dry_run: true, counts: { rooms: 1 }, rooms: [{ room_id: roomId }] });
    expect(await roomsLeft()).toContain(roomId);
  });

  it('is not stopped by a room whose name holds NUL', async () => {
    const [odd, plain] = [await named('Odd\u0000 a'), await named('Odd b')];
    const [status, body] = await stage.ask('POST', path, { filter: { name: 'Odd *' } });
    expect(status).toBe(200);
    const found = (body['rooms'] as { room_id: string }[]).map(({ room_id: roomId }) => roomId);
    expect(new Set(found)).toEqual(new Set([odd, plain]));
  });

  it('deletes what the filter finds, up to the limit, but never what is excluded', async () => {
    const [first, kept, second, third] = [
      await named('Bulk a'),
      await named('Bulk b'),
      await named('Bulk c'),
      await named('Bulk d'),
    ];
    const other = await named('Other');
    const body = { filter: { name: 'Bulk *' }, exclude: [kept], limit: 2, dry_run: false };
    expect(await stage.ask('POST', path, body)).toEqual([200, { rooms: 2, purged: 2, failed: 0 }]);
    expect(new Set(await roomsLeft())).toEqual(new Set([...(await roomsLeft()), kept, third, other]));
    expect(await roomsLeft()).not.toEqual(expect.arrayContaining([first, second]));
    const deleted = await Promise.all(
      [first, second, kept].map(async (roomId) => (await roomsLeft()).includes(roomId)),
    );
    expect(deleted).toEqual([false, false, true]);
  });

  it('leaves a room to the job that deletes it already, and says so', async () => {
    const [busy, free] = [await named('Twice a'), await named('Twice b')];
    await sql`
      INSERT INTO jobs (job_id, component, kind, target, weight, keeps, input, state, phase, requested_by,
        created_ts, updated_ts)
      VALUES ('waits', 'roomserver', 'purge_room', ${busy}, 'heavy', 'failures', '{}', 'paused', 'close', '', 0, 0)
    `.execute(stage.world.sql);
    const body = { filter: { name: 'Twice *' }, dry_run: false };
    const answer = await stage.admin.request('POST', path, { body });
    expect([answer.status, answer.body]).toEqual([200, { rooms: 2, purged: 1, failed: 0 }]);
    expect(await roomsLeft()).toContain(busy);
    const jobId = answer.headers.get('seneschal-job-id') ?? '';
    const { rows } = await stage.world.homeserver.platform.jobs.reads.items(jobId, {}, { limit: 10 });
    expect(rows.map(({ item, state, reason }) => [item, state, reason])).toEqual([
      [busy, 'skipped', 'The job waits deletes this room.'],
      [free, 'done', null],
    ]);
    await stage.world.homeserver.platform.jobs.control('waits', 'cancel');
  });

  it('finds rooms by creator, by server, by ID, and by how long they are empty', async () => {
    const founder = await stage.world.register('founder');
    const roomId = await founder.createRoom({ name: 'Founded' });
    const found = async (filter: object): Promise<string[]> => {
      const [, body] = await stage.ask('POST', path, { filter });
      return (body['rooms'] as { room_id: string }[]).map((room) => room.room_id);
    };
    expect(await found({ creator: founder.userId })).toEqual([roomId]);
    expect(await found({ creator: founder.userId, name: 'Other*' })).toEqual([]);
    expect(await found({ server: 'test.example', room_ids: [roomId] })).toEqual([roomId]);
    expect(await found({ server: 'elsewhere.example' })).toEqual([]);
    expect(await found({ empty_for_days: 0, room_ids: [roomId] })).toEqual([]);
    await founder.leave(roomId);
    expect(await found({ empty_for_days: 1, room_ids: [roomId] })).toEqual([]);
    await sql`UPDATE roomserver_output SET created_ts = 0 WHERE fact->>'roomId' = ${roomId}`.execute(
      stage.world.sql,
    );
    expect(await found({ empty_for_days: 1, room_ids: [roomId] })).toEqual([roomId]);
  });

  it('a damaged name is no name, and stops no search', async () => {
    const roomId = await named('Unreadable');
    await sql`
      UPDATE roomserver_events SET json = '{' WHERE type = 'm.room.name'
        AND room_nid = (SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId})
    `.execute(stage.world.sql);
    const [status, body] = await stage.ask('POST', path, { filter: { name: '*', room_ids: [roomId] } });
    expect([status, body['rooms']]).toEqual([200, []]);
  });

  it.each([
    {},
    { filter: {} },
    { filter: { nmae: 'x' } },
    { filter: { name: 'x' }, limit: 0 },
    { filter: { room_ids: ['abc'] } },
    { filter: { creator: 'founder' } },
    { filter: { name: 'x' }, dryrun: false },
  ])('refuses %j', async (body) => {
    expect((await stage.admin.request('POST', path, { body })).status).toBe(400);
  });
});
