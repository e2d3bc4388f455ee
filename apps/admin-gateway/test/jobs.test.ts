import type { TestAnswer, TestClient } from '@seneschal/testing';
import { roomserver } from '@seneschal/contracts';
import { sql } from 'kysely';

import { jobEvents } from '../src/endpoints/jobs/events.ts';
import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const jobs = '/_seneschal/v1/jobs';
const evacuateRoom = (roomId: string): string =>
  `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`;

describe('jobs', () => {
  let stage: Stage;
  let others: TestClient[];
  beforeAll(async () => {
    stage = await Stage.open({ settings: { SENESCHAL_EVACUATE_JOB_SIZE: '2' } });
    others = await Promise.all(['one', 'two', 'three'].map((name) => stage.world.register(name)));
  });
  afterAll(() => stage.stop());

  const everybody = (): string[] => [stage.user, ...others].map((one) => one.userId).sort();
  const post = (path: string, headers: Record<string, string> = {}): Promise<TestAnswer> =>
    stage.admin.request('POST', path, { headers });
  const get = (path: string, headers: Record<string, string> = {}): Promise<TestAnswer> =>
    stage.admin.request('GET', path, { headers });
  const idOf = (answer: TestAnswer): string => answer.headers.get('seneschal-job-id') ?? '';

  itRefusesOthers(
    () => stage,
    'GET',
    () => [jobs, `${jobs}/none`, `${jobs}/none/items`, `${jobs}/none/events`],
  );
  itRefusesOthers(
    () => stage,
    'POST',
    () => ['cancel', 'pause', 'resume', 'retry'].map((action) => `${jobs}/none/${action}`),
  );

  it('answer a large evacuation as a small one, with the ID of the job', async () => {
    const roomId = await stage.room(stage.user, others);
    const answer = await post(evacuateRoom(roomId));
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ['affected']]);
    expect((answer.body['affected'] as string[]).sort()).toEqual(everybody());
    const { status, body } = await get(`${jobs}/${idOf(answer)}`);
    expect([status, body]).toMatchObject([
      200,
      {
        kind: 'evacuate_room',
        target: roomId,
        state: 'completed',
        phase: 'leave',
        done: 4,
        total: 4,
        failed_items: 0,
        requested_by: stage.admin.userId,
        input: { roomId, block: false },
        estimated_end_ts: null,
      },
    ]);
    expect(Object.values(await stage.memberships(roomId))).toEqual(['leave', 'leave', 'leave', 'leave']);
    expect(await stage.ask('POST', evacuateRoom(roomId))).toEqual([200, { affected: [] }]);
  });

  it('are kept of what is below the configured size, and done at once, as well', async () => {
    const roomId = await stage.room(stage.user);
    const answer = await post(evacuateRoom(roomId));
    expect(answer.body).toEqual({ affected: [stage.user.userId] });
    const path = `${jobs}/${idOf(answer)}`;
    expect((await get(path)).body).toMatchObject({
      kind: 'evacuate_room',
      target: roomId,
      state: 'completed',
      done: 1,
      total: 1,
      items_per_second: expect.any(Number) as number,
    });
    expect((await get(`${path}/items`)).body['items']).toMatchObject([
      { item: stage.user.userId, state: 'done' },
    ]);
    const events = parseEvents((await get(`${path}/events`)).text);
    expect(events.map(({ event }) => event)).toEqual(['started', 'completed', 'progress']);
  });

  it('of what was done at once are retried as others', async () => {
    const roomId = await stage.room(stage.user);
    await stage.damage(roomId, stage.user.userId);
    const answer = await post(evacuateRoom(roomId));
    const path = `${jobs}/${idOf(answer)}`;
    expect((await get(path)).body).toMatchObject({ state: 'partial', failed_items: 1 });
    await post(`${path}/retry`);
    await stage.world.settled();
    expect((await get(path)).body).toMatchObject({ state: 'partial', failed_items: 1, done: 1, total: 1 });
  });

  it('answer 202 at once when asked to, and are followed event by event', async () => {
    const roomId = await stage.room(stage.user, others);
    const answer = await post(evacuateRoom(roomId), { Prefer: 'respond-async' });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ job_id: idOf(answer), target: roomId });
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    expect(answer.headers.get('location')).toBe(`${jobs}/${idOf(answer)}`);
    const events = await get(`${jobs}/${idOf(answer)}/events`);
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    const seen = parseEvents(events.text);
    expect(seen.map(({ event }) => event).filter((event) => event !== 'progress')).toEqual([
      'started',
      'phase',
      'completed',
    ]);
    expect(seen.at(-1)).toMatchObject({ event: 'progress', data: { state: 'completed', done: 4 } });
    const started = seen.find(({ event }) => event === 'started')?.id ?? '';
    const resumed = await get(`${jobs}/${idOf(answer)}/events`, { 'Last-Event-ID': started });
    expect(parseEvents(resumed.text).map(({ event }) => event)).toEqual(['phase', 'completed', 'progress']);
    const nothingNew = await get(`${jobs}/${idOf(answer)}/events`, {
      'Last-Event-ID': seen.at(-1)?.id ?? '',
    });
    expect(nothingNew.text).toBe('');
    expect(errorOf(await get(`${jobs}/${idOf(answer)}/events`, { 'Last-Event-ID': 'x' }))).toEqual([
      400,
      'M_INVALID_PARAM',
    ]);
  });

  it('miss no event that comes between two looks at the job', async () => {
    const { jobs: all } = stage.world.homeserver.platform;
    const roomId = await stage.room(stage.user, others);
    const { userId: requestedBy } = stage.admin;
    const input = { roomId, requestedBy, block: false };
    const { jobId } = await all.start(roomserver.evacuateRoomJob, input, { requestedBy });
    // The job has ended by the time that anything which was read of it is looked at.
    const ended = async <T>(reading: Promise<T>): Promise<T> => {
      const read = await reading;
      await all.wait(jobId, 30_000);
      return read;
    };
    const reads = {
      ...all.reads,
      get: (id: string) => ended(all.reads.get(id)),
      events: (id: string, after: number) => ended(all.reads.events(id, after)),
    };
    const changeAfter = (...given: Parameters<typeof all.changeAfter>) => all.changeAfter(...given);
    const { handle } = jobEvents({ jobs: { reads, changeAfter, isStopped: false } });
    const request = { params: { jobId }, header: () => undefined, signal: new AbortController().signal };
    const reply = (await handle(request as never)) as { body: AsyncIterable<string> };
    let text = '';
    for await (const piece of reply.body) text += piece;
    const events = parseEvents(text);
    expect(events.map(({ event }) => event).filter((event) => event !== 'progress')).toEqual([
      'started',
      'phase',
      'completed',
    ]);
    const ids = events.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  });

  it('G6: asked for twice at once, both are answered by one job', async () => {
    const roomId = await stage.room(stage.user, others);
    const answers = await Promise.all([
      post(evacuateRoom(roomId), { Prefer: 'respond-async' }),
      post(evacuateRoom(roomId), { Prefer: 'respond-async' }),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([202, 202]);
    expect(new Set(answers.map(idOf)).size).toBe(1);
    await stage.world.settled();
  });

  it('with the same Idempotency-Key are one job, also when it has ended', async () => {
    const roomId = await stage.room(stage.user, others);
    const headers = { 'Idempotency-Key': 'a-key' };
    const first = await post(evacuateRoom(roomId), headers);
    const second = await post(evacuateRoom(roomId), headers);
    expect([second.status, second.body, idOf(second)]).toEqual([200, first.body, idOf(first)]);
    const other = evacuateRoom(await stage.room(stage.user));
    expect(errorOf(await post(other, headers))).toEqual([400, 'M_INVALID_PARAM']);
    expect(errorOf(await post(other, { 'Idempotency-Key': 'a b' }))).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('G3: name who failed, with the reason, and a retry does only that again', async () => {
    const roomId = await stage.room(stage.user, others);
    const [unlucky] = others;
    const { rows } = await sql<{ json: string; position: number }>`
      SELECT json, position FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
      WHERE room_id = ${roomId} AND state_key = ${unlucky?.userId} ORDER BY position DESC LIMIT 1
    `.execute(stage.world.sql);
    await stage.damage(roomId, unlucky?.userId ?? '');
    const answer = await post(evacuateRoom(roomId));
    const failed = [{ user_id: unlucky?.userId, reason: expect.any(String) as string }];
    expect([answer.status, answer.body]).toMatchObject([200, { failed }]);
    const path = `${jobs}/${idOf(answer)}`;
    expect((await get(path)).body).toMatchObject({ state: 'partial', failed_items: 1, done: 4 });
    expect((await get(`${path}/items?state=failed`)).body).toEqual({
      items: [
        { phase: 'leave', item: unlucky?.userId, state: 'failed', reason: expect.any(String) as string },
      ],
    });
    await sql`UPDATE roomserver_events SET json = ${rows[0]?.json} WHERE position = ${rows[0]?.position}`.execute(
      stage.world.sql,
    );
    expect((await post(`${path}/retry`)).body).toMatchObject({ state: 'queued', failed_items: 0 });
    await stage.world.settled();
    expect((await get(path)).body).toMatchObject({ state: 'completed', failed_items: 0, done: 4, total: 4 });
    expect(await stage.leaves(roomId, unlucky?.userId ?? '')).toBe(1);
    expect(await stage.leaves(roomId, stage.user.userId)).toBe(1);
  });

  it('E6: empty a user of rooms as the command does', async () => {
    const rooms = await Promise.all([1, 2, 3].map(() => stage.room(stage.user, others.slice(0, 1))));
    const [other] = others;
    await stage.damage(rooms[1] ?? '', other?.userId ?? '');
    const answer = await post(`/_dendrite/admin/evacuateUser/${encodeURIComponent(other?.userId ?? '')}`);
    expect([answer.status, idOf(answer)]).toEqual([200, expect.stringMatching(/^[0-9a-f]{24}$/)]);
    expect((answer.body['affected'] as string[]).sort()).toEqual([rooms[0], rooms[2]].sort());
    expect(answer.body['failed']).toEqual([{ room_id: rooms[1], reason: expect.any(String) as string }]);
  });

  it('are listed newest first, by page and by filter', async () => {
    const all = (await get(`${jobs}?kind=evacuate_room`)).body['jobs'] as { job_id: string }[];
    const pages: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const from: string = next === '' ? '' : `&from=${next}`;
      const { body } = await get(`${jobs}?kind=evacuate_room&limit=2${from}`);
      pages.push(...(body['jobs'] as { job_id: string }[]).map((job) => job.job_id));
      next = body['next_batch'] as string | undefined;
    }
    expect(pages).toEqual(all.map((job) => job.job_id));
    expect(pages.length).toBeGreaterThan(2);
    for (const filter of [
      'kind=none',
      'state=paused',
      'target=none',
      'requested_by=none',
      'parent_id=none',
    ]) {
      expect((await get(`${jobs}?${filter}`)).body).toEqual({ jobs: [] });
    }
    const mine = `${jobs}?state=completed&requested_by=${encodeURIComponent(stage.admin.userId)}`;
    expect((await get(mine)).body['jobs']).not.toEqual([]);
    for (const wrong of ['state=no', 'from=x', 'from=1_!', 'limit=x']) {
      expect([wrong, ...errorOf(await get(`${jobs}?${wrong}`))]).toEqual([wrong, 400, 'M_INVALID_PARAM']);
    }
  });

  it('that are unknown are 404, and what comes too late is 409', async () => {
    for (const path of [`${jobs}/none`, `${jobs}/none/items`, `${jobs}/none/events`]) {
      expect(errorOf(await get(path))).toEqual([404, 'M_NOT_FOUND']);
    }
    const answer = await post(evacuateRoom(await stage.room(stage.user, others)));
    for (const action of ['cancel', 'pause', 'resume', 'retry']) {
      expect(errorOf(await post(`${jobs}/none/${action}`))).toEqual([404, 'M_NOT_FOUND']);
      expect(errorOf(await post(`${jobs}/${idOf(answer)}/${action}`))).toEqual([409, 'M_BAD_STATE']);
    }
  });

  it('can be asked for from a browser', async () => {
    const { headers } = await stage.world.request('OPTIONS', jobs);
    expect(headers.get('access-control-allow-headers')).toContain('Prefer, Idempotency-Key, Last-Event-ID');
    expect(headers.get('access-control-expose-headers')).toContain('Seneschal-Job-Id');
  });
});

function parseEvents(text: string): { id: string; event: string; data: Record<string, unknown> }[] {
  return [...text.matchAll(/id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n/g)].map(
    ([, id = '', event = '', data = '']) => ({
      id,
      event,
      data: JSON.parse(data) as Record<string, unknown>,
    }),
  );
}
