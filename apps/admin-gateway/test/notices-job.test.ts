import { sql } from 'kysely';

import type { TestAnswer } from '@seneschal/testing';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = '/_seneschal/v1/notices';
const content = { msgtype: 'm.text', body: 'The server restarts tonight.' };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ settings: { SENESCHAL_SERVER_NOTICES: 'on' } });
});
afterAll(() => stage.stop());

const send = (body: object, query = ''): Promise<TestAnswer> =>
  stage.admin.request('POST', `${path}${query}`, { body: { content, per_second: 100, ...body } });

/** How many notices with a text each user has got. */
async function received(text: string): Promise<Record<string, number>> {
  const found = await sql<{ user_id: string; count: number }>`
    SELECT n.user_id, count(*) AS count FROM roomserver_notice_rooms n JOIN roomserver_events e USING (room_nid)
    WHERE e.type = 'm.room.message' AND e.json LIKE ${`%"${text}"%`} GROUP BY n.user_id
  `.execute(stage.world.sql);
  return Object.fromEntries(found.rows.map((row) => [row.user_id, row.count]));
}

async function items(jobId: unknown): Promise<unknown> {
  const [, body] = await stage.ask('GET', `/_seneschal/v1/jobs/${String(jobId)}/items`);
  return (body['items'] as Record<string, unknown>[]).map(({ item, state }) => [item, state]);
}

const register = (names: readonly string[]): Promise<unknown> =>
  Promise.all(names.map((name) => stage.world.register(name)));

const message = (body: string): object => ({ content: { msgtype: 'm.text', body } });

describe('POST /_seneschal/v1/notices', () => {
  itRefusesOthers(
    () => stage,
    'POST',
    () => [path],
  );

  it('sends to everybody once, with a result for each', async () => {
    await register(['ann', 'ben']);
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE localpart = 'ben'`.execute(
      stage.world.sql,
    );
    const rehearsed = await send({ all: true }, '?dry_run=true');
    expect(rehearsed).toMatchObject({ status: 200, body: { dry_run: true, counts: { users: 3 } } });
    expect(await received('to all')).toEqual({});
    const answer = await send({ all: true, ...message('to all') });
    expect(answer).toMatchObject({ status: 200, body: { sent: 3, failed: 0 } });
    expect(await received('to all')).toEqual({
      '@admin:test.example': 1,
      '@ann:test.example': 1,
      '@user:test.example': 1,
    });
    expect(await items(answer.body['job_id'])).toEqual([
      ['@admin:test.example', 'done'],
      ['@ann:test.example', 'done'],
      ['@user:test.example', 'done'],
    ]);
  });

  it('sends to those who fit the filter, many pages of them', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `crew${index}`);
    await register(names);
    const one = await send({ filter: { name: 'crew' }, per_second: 3, ...message('to the crew') });
    expect(one).toMatchObject({ status: 200, body: { sent: 7, failed: 0 } });
    expect(await received('to the crew')).toEqual(
      Object.fromEntries(names.map((name) => [`@${name}:test.example`, 1])),
    );
    const admins = await send({ filter: { admins: true }, ...message('to admins') });
    expect(admins.body).toMatchObject({ sent: 1 });
    const nobody = await send({ filter: { created_before: 5 }, ...message('to nobody') });
    expect(nobody.body).toMatchObject({ sent: 0, failed: 0 });
    const seen = await send({ filter: { name: 'crew', seen_since: Date.now() + 60_000 } }, '?dry_run=true');
    expect(seen.body).toMatchObject({ counts: { users: 0 } });
  });

  it('names those who could not be reached, and reaches the others', async () => {
    await register(['carl', 'dora']);
    const userIds = ['@dora:test.example', '@nobody:test.example', 'nonsense', '@carl:test.example'];
    const answer = await send({ user_ids: userIds, ...message('to some') });
    expect(answer).toMatchObject({ status: 200, body: { sent: 2, failed: 2 } });
    expect(await items(answer.body['job_id'])).toEqual(
      expect.arrayContaining([
        ['@carl:test.example', 'done'],
        ['@dora:test.example', 'done'],
        ['@nobody:test.example', 'failed'],
        ['nonsense', 'failed'],
      ]),
    );
  });

  it('asked for twice at once, sends once; a job that is done again from the start sends nothing twice', async () => {
    const names = ['eva', 'fred', 'gina'];
    await register(names);
    const asked = { filter: { name: '@' }, ...message('once') };
    const [first, second] = await Promise.all([send(asked), send(asked)]);
    expect(first.body['job_id']).toBe(second.body['job_id']);
    const before = await received('once');
    expect(new Set(Object.values(before))).toEqual(new Set([1]));
    // As if the worker had died after sending and before it could save how far it got.
    await sql`UPDATE jobs SET state = 'queued', cursor = NULL, finished_ts = NULL, attempts = 0, done = 0
      WHERE job_id = ${String(first.body['job_id'])}`.execute(stage.world.sql);
    await stage.world.homeserver.platform.jobs.settled();
    expect(await received('once')).toEqual(before);
  });

  it('does not send faster than it is told', async () => {
    await register(['slow1', 'slow2', 'slow3']);
    const started = performance.now();
    const answer = await send({ filter: { name: 'slow' }, per_second: 1, ...message('slowly') });
    expect(answer.body).toMatchObject({ sent: 3 });
    expect(performance.now() - started).toBeGreaterThan(2000);
  });

  it('answers with the job at once when asked to', async () => {
    const headers = { Prefer: 'respond-async' };
    const body = { content, user_ids: ['@user:test.example'] };
    const answer = await stage.admin.request('POST', path, { body, headers });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toMatch(/^\/_seneschal\/v1\/jobs\//);
    await stage.world.settled();
  });

  it.each([
    ['nobody', {}],
    ['everybody and some', { all: true, user_ids: ['@a:test.example'] }],
    ['all: false', { all: false }],
    ['no users', { user_ids: [] }],
    ['a misspelt filter', { filter: { nmae: 'x' } }],
    ['no content', { all: true, content: null }],
    ['a rate of 0', { all: true, per_second: 0 }],
    ['a rate of 101', { all: true, per_second: 101 }],
  ])('is refused for %s', async (_, body) => {
    expect(errorOf(await send(body))).toEqual([400, 'M_BAD_JSON']);
  });
});
