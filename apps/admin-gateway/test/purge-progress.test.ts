import type { Job } from '@seneschal/contracts';
import { sql } from 'kysely';

import { fill, numberOf, post, purgePath, roomPath, rowsOfNumber, say } from './rooms.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ jobTiming: { backOffMs: 5, maximumAttempts: 4 } });
});
afterAll(() => stage.stop());

/** A room of which every component has something. */
async function usedRoom(): Promise<string> {
  const roomId = await stage.user.createRoom({ preset: 'public_chat', name: 'Doomed' });
  await stage.admin.join(roomId);
  const eventId = await say(stage.user, roomId, 'Call me Ishmael');
  await say(stage.user, roomId, 'Some years ago');
  await fill(stage, roomId, 3000);
  await stage.user.call('PUT', accountData(roomId), { of: 'the room' });
  await stage.admin.call('POST', roomPath(roomId, `/report/${eventId}`), { reason: 'too long' });
  await stage.world.settled();
  return roomId;
}

function accountData(roomId: string): string {
  return `/user/${stage.user.userId}/rooms/${encodeURIComponent(roomId)}/account_data/org.example`;
}

async function purge(roomId: string, query = ''): Promise<string> {
  const asked = await post(stage, `${purgePath(roomId)}${query}`, { Prefer: 'respond-async' });
  return asked.headers.get('seneschal-job-id') ?? '';
}

/** Every state of a job that is seen from now on, up to one that is wanted. */
async function follow(jobId: string, isWanted: (job: Job) => boolean): Promise<Job[]> {
  const { jobs } = stage.world.homeserver.platform;
  const seen: Job[] = [];
  for (;;) {
    const job = await jobs.reads.get(jobId);
    if (job === undefined) throw new Error('There is no such job.');
    seen.push(job);
    if (isWanted(job)) return seen;
    await jobs.changeAfter(jobId, job.version, 5000, new AbortController().signal);
  }
}

const isOver = (job: Job): boolean => job.finishedTs !== null;

async function accountDataRows(roomId: string): Promise<number> {
  const rows = await sql`SELECT FROM userapi_account_data WHERE room_id = ${roomId}`.execute(stage.world.sql);
  return rows.rows.length;
}

async function isRecordOpen(roomId: string): Promise<boolean> {
  const [, body] = await stage.ask('GET', `/_seneschal/v1/deletions?room_id=${encodeURIComponent(roomId)}`);
  const [record] = body['deletions'] as { finished_ts: number | null }[];
  return record?.finished_ts === null;
}

describe('the progress of a purge', () => {
  it('is out of everything that all components have, and never beyond it', async () => {
    const roomId = await usedRoom();
    const [, rehearsed] = await stage.ask('POST', `${purgePath(roomId)}?dry_run=true`);
    const counts = rehearsed['counts'] as Record<string, number>;
    expect(counts).toMatchObject({ index_documents: 3, account_data: 1, reports: 1, users: 2 });
    const seen = await follow(await purge(roomId, '?evacuate=false'), isOver);
    expect(seen.filter(({ done, total }) => total !== null && done > total)).toEqual([]);
    const totals = seen.flatMap(({ total }) => total ?? []);
    expect(new Set(totals)).toEqual(new Set([counts['rows']]));
    expect(seen.at(-1)).toMatchObject({ state: 'completed', done: counts['rows'], total: counts['rows'] });
  });

  it('counts what the evacuation adds before anything is deleted', async () => {
    const roomId = await usedRoom();
    const [, rehearsed] = await stage.ask('POST', `${purgePath(roomId)}?dry_run=true`);
    const before = (rehearsed['counts'] as Record<string, number>)['rows'] ?? 0;
    const seen = await follow(await purge(roomId), isOver);
    const end = seen.at(-1);
    // Two leave events.
    expect(end).toMatchObject({ state: 'completed', done: before + 2, total: before + 2 });
    expect(seen.filter(({ done, total }) => done > 0 && total !== before + 2)).toEqual([]);
  });
});

describe('a component that fails during a purge', () => {
  async function withoutAccountData(work: () => Promise<void>): Promise<void> {
    await sql`ALTER TABLE userapi_account_data RENAME TO away`.execute(stage.world.sql);
    await work().finally(() => sql`ALTER TABLE away RENAME TO userapi_account_data`.execute(stage.world.sql));
  }

  it('G2, G3: is named while it is asked again, and the purge ends well when it is back', async () => {
    const roomId = await usedRoom();
    let jobId = '';
    await withoutAccountData(async () => {
      jobId = await purge(roomId);
      const seen = await follow(jobId, (job) => job.lastError !== null);
      expect(seen.at(-1)).toMatchObject({
        phase: 'components',
        lastError: { status: 503, error: expect.stringContaining('userapi') as string },
      });
      expect(await numberOf(stage, roomId)).toBe(0);
    });
    expect((await follow(jobId, isOver)).at(-1)).toMatchObject({ state: 'completed', lastError: null });
    expect(await accountDataRows(roomId)).toBe(0);
  });

  it('G3: for good is a failed item of a job that did all else, and a retry does the rest', async () => {
    const roomId = await usedRoom();
    const roomNid = await numberOf(stage, roomId);
    let jobId = '';
    await withoutAccountData(async () => {
      const answer = await post(stage, purgePath(roomId));
      jobId = answer.headers.get('seneschal-job-id') ?? '';
      expect([answer.status, answer.body]).toEqual([
        500,
        { errcode: 'M_UNKNOWN', error: expect.stringContaining('userapi') as string, job_id: jobId },
      ]);
      const [, job] = await stage.ask('GET', `/_seneschal/v1/jobs/${jobId}`);
      expect(job).toMatchObject({ state: 'partial', phase: 'verify', failed_items: 1 });
      const [, items] = await stage.ask('GET', `/_seneschal/v1/jobs/${jobId}/items?state=failed`);
      expect(items['items']).toMatchObject([{ phase: 'components', item: 'userapi' }]);
    });
    expect(await rowsOfNumber(stage, roomNid)).toBe(0);
    const { rows: documents } = await sql`SELECT FROM search_edits WHERE room_id = ${roomId}`.execute(
      stage.world.sql,
    );
    expect(documents).toEqual([]);
    expect([await accountDataRows(roomId), await isRecordOpen(roomId)]).toEqual([1, true]);
    await post(stage, `/_seneschal/v1/jobs/${jobId}/retry`);
    const end = (await follow(jobId, isOver)).at(-1);
    expect(end).toMatchObject({ state: 'completed', failedItems: 0, done: end?.total });
    expect([await accountDataRows(roomId), await isRecordOpen(roomId)]).toEqual([0, false]);
  });

  it('G3: makes rooms of many fail by their names, and a retry of the whole does those alone', async () => {
    const rooms = [await usedRoom(), await usedRoom()];
    const fine = await stage.user.createRoom();
    const answers: Record<string, unknown>[] = [];
    let path = '';
    await withoutAccountData(async () => {
      const body = { filter: { room_ids: [...rooms, fine] }, dry_run: false };
      const answer = await stage.admin.request('POST', '/_seneschal/v1/rooms/purge', { body });
      path = `/_seneschal/v1/jobs/${answer.headers.get('seneschal-job-id') ?? ''}`;
      answers.push(answer.body);
    });
    expect(answers).toEqual([{ rooms: 3, purged: 0, failed: 3 }]);
    expect((await stage.ask('GET', path))[1]).toMatchObject({ state: 'partial', done: 3, total: 3 });
    const failures: { item: string; reason: string }[] = [];
    for (let from: string | undefined = ''; from !== undefined;) {
      const [, page] = await stage.ask('GET', `${path}/items?state=failed&limit=2${from}`);
      failures.push(...(page['items'] as typeof failures));
      const next = page['next_batch'] as string | undefined;
      from = next && `&from=${next}`;
    }
    expect(failures.map(({ item }) => item).toSorted()).toEqual([...rooms, fine].toSorted());
    expect(failures[0]?.reason).toContain('userapi');
    await post(stage, `${path}/retry`);
    await stage.world.settled();
    expect((await stage.ask('GET', path))[1]).toMatchObject({
      state: 'completed',
      done: 3,
      total: 3,
      failed_items: 0,
      result: { rooms: 3, purged: 3, failed: 0 },
    });
    for (const roomId of rooms) expect(await accountDataRows(roomId)).toBe(0);
  });

  it('G2: for good, is made up for by asking for the purge again', async () => {
    const roomId = await usedRoom();
    await withoutAccountData(async () => {
      expect((await post(stage, purgePath(roomId))).status).toBe(500);
    });
    expect(await stage.ask('POST', purgePath(roomId))).toEqual([200, {}]);
    expect([await accountDataRows(roomId), await isRecordOpen(roomId)]).toEqual([0, false]);
    expect((await post(stage, purgePath(roomId))).status).toBe(404);
  });
});
