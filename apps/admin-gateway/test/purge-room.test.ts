import { roomserver } from '@seneschal/contracts';
import { sql } from 'kysely';

import { fill, numberOf, post, purgePath, roomPath, rowsOfNumber, say, sync } from './rooms.ts';
import { errorOf, itRefusesOthers, Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.stop());

async function purge(roomId: string, query = ''): Promise<[number, Record<string, unknown>]> {
  return stage.ask('POST', `${purgePath(roomId)}${query}`);
}

async function deletion(roomId: string): Promise<Record<string, unknown>> {
  const [, body] = await stage.ask('GET', `/_seneschal/v1/deletions?room_id=${encodeURIComponent(roomId)}`);
  return (body['deletions'] as Record<string, unknown>[])[0] ?? {};
}

describe('purgeRoom', () => {
  itRefusesOthers(
    () => stage,
    'POST',
    () => [purgePath('!unknown:test.example'), purgePath('no room')],
  );

  it('G4: answers {} when nothing is left of the room, for anybody', async () => {
    const roomId = await stage.user.createRoom({ room_alias_name: 'gone', preset: 'public_chat' });
    const eventId = await say(stage.user, roomId, 'Call me Ishmael');
    const roomNid = await numberOf(stage, roomId);
    expect(await purge(roomId)).toEqual([200, {}]);
    expect(await rowsOfNumber(stage, roomNid)).toBe(0);
    const path = (rest: string): string => `/_matrix/client/v3${roomPath(roomId, rest)}`;
    const looks: [string, string, number][] = [
      ['GET', path(`/event/${encodeURIComponent(eventId)}`), 404],
      ['GET', path('/messages?dir=b'), 403],
      ['GET', path('/state'), 403],
      ['GET', path('/joined_members'), 403],
      ['PUT', path('/send/m.room.message/late'), 403],
      ['POST', path('/join'), 404],
      ['POST', path('/leave'), 403],
      ['GET', `/_matrix/client/v3/directory/room/${encodeURIComponent('#gone:test.example')}`, 404],
      ['POST', `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`, 404],
    ];
    for (const [method, wanted, status] of looks) {
      const by = wanted.startsWith('/_dendrite') ? stage.admin : stage.user;
      const answer = await by.request(method, wanted, method === 'GET' ? {} : { body: {} });
      expect([wanted, answer.status < 500, answer.status]).toEqual([wanted, true, status]);
    }
    expect(await stage.user.joinedRooms()).not.toContain(roomId);
    await stage.user.createRoom({ room_alias_name: 'gone' });
  });

  it('G8: evacuates first, so that every client and every server hears of the leaving', async () => {
    const roomId = await stage.room(stage.user, [stage.admin]);
    const { next_batch: since } = await sync(stage.user);
    const [, before] = await stage.ask('POST', `${purgePath(roomId)}?dry_run=true`);
    expect(before['counts']).toMatchObject({ users: 2 });
    await purge(roomId);
    // Create, join, power levels … and one leave for each of the two.
    const counts = (await deletion(roomId))['counts'] as Record<string, number>;
    const events = (before['counts'] as Record<string, number>)['events'] ?? 0;
    expect(counts['roomserver_events']).toBe(events + 2);
    const { rooms } = await sync(stage.user, since);
    expect(rooms.join[roomId]).toBeUndefined();
    expect(rooms.leave[roomId]?.timeline.events).toMatchObject([
      { type: 'm.room.member', state_key: stage.user.userId, content: { membership: 'leave' } },
    ]);
  });

  it('shows the room as left to every device that was offline, once, and to no first sync', async () => {
    const other = await stage.world.register('offline');
    const roomId = await stage.room(stage.user, [other]);
    const tokens = [await sync(stage.user), await sync(other)].map((answer) => answer.next_batch);
    await purge(roomId, '?evacuate=false');
    for (const [client, since] of [
      [stage.user, tokens[0]],
      [other, tokens[1]],
    ] as const) {
      // An answer that gets lost is asked for again with the same token.
      await sync(client, since);
      const told = await sync(client, since);
      expect(Object.keys(told.rooms.leave)).toContain(roomId);
      expect(told.rooms.join[roomId]).toBeUndefined();
      expect((await sync(client, told.next_batch)).rooms.leave[roomId]).toBeUndefined();
    }
    const first = await sync(other);
    expect(JSON.stringify(first.rooms)).not.toContain(roomId);
    await other.call('POST', roomPath(roomId, '/forget'), {});
  });

  it('G10: an unknown room is 404, what is no room ID is 400, and nothing comes of either', async () => {
    expect(errorOf(await post(stage, purgePath('!unknown:test.example')))).toEqual([404, 'M_NOT_FOUND']);
    for (const bad of ['abc', '@user:test.example', '%']) {
      expect(errorOf(await post(stage, purgePath(bad)))).toEqual([400, 'M_INVALID_PARAM']);
    }
    const roomId = await stage.room(stage.user);
    expect((await purge(roomId))[0]).toBe(200);
    expect((await purge(roomId))[0]).toBe(404);
  });

  it('G11: is a POST alone', async () => {
    const roomId = await stage.room(stage.user);
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      expect((await stage.admin.request(method, purgePath(roomId))).status).toBe(405);
    }
    expect(await stage.user.joinedRooms()).toContain(roomId);
  });

  it.each(['dry_run=yes', 'block=1', 'evacuate=', 'export=true&export=false'])(
    'refuses %s and deletes nothing',
    async (query) => {
      const roomId = await stage.room(stage.user);
      expect(errorOf(await post(stage, `${purgePath(roomId)}?${query}`))).toEqual([400, 'M_INVALID_PARAM']);
      expect(await stage.user.joinedRooms()).toContain(roomId);
    },
  );

  it('rehearses with exact counts', async () => {
    const roomId = await stage.room(stage.user, [stage.admin]);
    await say(stage.user, roomId, 'one');
    const [status, body] = await purge(roomId, '?dry_run=true');
    expect([status, body['dry_run']]).toEqual([200, true]);
    const counts = body['counts'] as Record<string, number>;
    const events = await sql<{ events: number; bytes: number }>`
      SELECT count(*) AS events, sum(octet_length(json)) AS bytes FROM roomserver_events
      WHERE room_nid = ${await numberOf(stage, roomId)}
    `.execute(stage.world.sql);
    expect(counts).toMatchObject({ ...events.rows[0], users: 2, aliases: 0, reports: 0, remote_servers: 0 });
    expect(await stage.user.joinedRooms()).toContain(roomId);
    expect((await purge(roomId))[0]).toBe(200);
    const recorded = (await deletion(roomId))['counts'] as Record<string, number>;
    expect(recorded['roomserver_memberships']).toBe(2);
  });

  it('G6: asked twice at once, and with respond-async, it is one job', async () => {
    const roomId = await stage.room(stage.user);
    await fill(stage, roomId, 3000);
    const asked = await post(stage, purgePath(roomId), { Prefer: 'respond-async' });
    expect(asked.status).toBe(202);
    const jobId = asked.headers.get('seneschal-job-id');
    const again = await post(stage, purgePath(roomId), { 'Idempotency-Key': 'other' });
    expect([again.status, again.headers.get('seneschal-job-id')]).toEqual([200, jobId]);
    const [, job] = await stage.ask('GET', `/_seneschal/v1/jobs/${jobId ?? ''}`);
    expect(job).toMatchObject({ kind: 'purge_room', state: 'completed', target: roomId });
  });

  it('keeps a record of what was deleted, when and by whom', async () => {
    const roomId = await stage.room(stage.user);
    await purge(roomId);
    const record = await deletion(roomId);
    expect(record).toMatchObject({ room_id: roomId, requested_by: stage.admin.userId, export: null });
    expect(record['digest']).toMatch(/^[0-9a-f]{64}$/);
    expect(record['finished_ts']).toEqual(expect.any(Number));
    expect((await stage.admin.request('GET', '/_seneschal/v1/deletions?from=x')).status).toBe(400);
    const [, page] = await stage.ask('GET', '/_seneschal/v1/deletions?limit=1');
    expect((page['deletions'] as unknown[]).length).toBe(1);
    const [, next] = await stage.ask(
      'GET',
      `/_seneschal/v1/deletions?limit=1&from=${String(page['next_token'])}`,
    );
    expect(next['deletions']).not.toEqual(page['deletions']);
  });

  it('deletes rooms whose state is damaged, whose create event is missing, whose version nobody knows', async () => {
    const damages = [
      (nid: number) => sql`UPDATE roomserver_events SET json = 'no JSON' WHERE room_nid = ${nid}`,
      (nid: number) =>
        sql`DELETE FROM roomserver_current_state WHERE room_nid = ${nid} AND type = 'm.room.create'`,
      (nid: number) => sql`UPDATE roomserver_rooms SET room_version = 'x' WHERE room_nid = ${nid}`,
      (nid: number) => sql`DELETE FROM roomserver_events WHERE room_nid = ${nid}`,
    ];
    for (const damage of damages) {
      const roomId = await stage.room(stage.user);
      const { next_batch: since } = await sync(stage.user);
      const roomNid = await numberOf(stage, roomId);
      await damage(roomNid).execute(stage.world.sql);
      expect(await purge(roomId)).toEqual([200, {}]);
      expect(await rowsOfNumber(stage, roomNid)).toBe(0);
      expect((await sync(stage.user, since)).rooms.leave).toHaveProperty([roomId]);
    }
  });

  it('G9: what is sent while it runs is refused or deleted, and leaves no stub', async () => {
    const roomId = await stage.room(stage.user);
    await fill(stage, roomId, 3000);
    const roomNid = await numberOf(stage, roomId);
    const { bus } = stage.world.homeserver.platform;
    const message = { roomId, sender: stage.user.userId, type: 'm.room.message', content: { body: 'x' } };
    let isOver = false;
    const flood = async (): Promise<number[]> => {
      const refused: number[] = [];
      while (!isOver) {
        await bus
          .call(roomserver.sendEvent, message)
          .catch((error: unknown) => refused.push((error as { status: number }).status));
      }
      return refused;
    };
    const floods = [flood(), flood()];
    expect(await purge(roomId)).toEqual([200, {}]);
    isOver = true;
    expect(new Set((await Promise.all(floods)).flat())).toEqual(new Set([403]));
    expect(await rowsOfNumber(stage, roomNid)).toBe(0);
    expect(await numberOf(stage, roomId)).toBe(0);
  });

  it('opens the room again when it is cancelled before anything is deleted', async () => {
    const roomId = await stage.room(stage.user);
    const asked = await post(stage, purgePath(roomId), { Prefer: 'respond-async', 'Idempotency-Key': 'c1' });
    const jobId = asked.headers.get('seneschal-job-id') ?? '';
    const cancelled = await post(stage, `/_seneschal/v1/jobs/${jobId}/cancel`);
    const job = await stage.world.homeserver.platform.jobs.wait(jobId, 30_000);
    const isGone = (await numberOf(stage, roomId)) === 0;
    // Either it was too late to cancel, or the room is there; half a room is never left.
    expect([200, 409]).toContain(cancelled.status);
    if (job?.state === 'completed') expect(isGone).toBe(true);
    expect((await purge(roomId))[0]).toBe(isGone && job?.state === 'completed' ? 404 : 200);
  });
});
