import { search } from '@seneschal/contracts';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const reindex = '/_dendrite/admin/fulltext/reindex';
const status = '/_seneschal/v1/search/status';

describe('GET and POST /_dendrite/admin/fulltext/reindex', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  itRefusesOthers(
    () => stage,
    'POST',
    () => [reindex],
  );
  itRefusesOthers(
    () => stage,
    'GET',
    () => [reindex, status],
  );

  it.each(['GET', 'POST'])('answers %s at once, with the job in the header', async (method) => {
    const answer = await stage.admin.request(method, reindex);
    expect([answer.status, answer.body]).toEqual([200, {}]);
    const jobId = answer.headers.get('seneschal-job-id') ?? '';
    expect(answer.headers.get('location')).toBe(`/_seneschal/v1/jobs/${jobId}`);
    const job = await stage.world.homeserver.platform.jobs.wait(jobId, 20_000);
    expect([job?.kind, job?.state, job?.requestedBy]).toEqual([
      'reindex_search',
      'completed',
      stage.admin.userId,
    ]);
  });

  it('answers the job under way to all who ask at once (X5)', async () => {
    const room = await stage.room(stage.user);
    await stage.user.call('PUT', `/rooms/${encodeURIComponent(room)}/send/m.room.message/x1`, {
      msgtype: 'm.text',
      body: 'found',
    });
    const answers = await Promise.all([1, 2, 3, 4].map(() => stage.admin.request('POST', reindex)));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    await stage.world.settled();
    const { rows } = await stage.world.homeserver.platform.jobs.reads.list(
      { kind: search.reindex.name },
      { limit: 50 },
    );
    const ids = new Set(answers.map((answer) => answer.headers.get('seneschal-job-id')));
    expect(rows.filter((job) => ids.has(job.jobId))).toHaveLength(ids.size);
    expect(rows.filter((job) => job.state !== 'completed')).toEqual([]);
  });

  it('indexes one room anew, and refuses what is no room ID', async () => {
    const room = await stage.room(stage.user);
    const path = `${reindex}?room_id=${encodeURIComponent(room)}`;
    const answer = await stage.admin.request('POST', path);
    expect(answer.status).toBe(200);
    const jobId = answer.headers.get('seneschal-job-id') ?? '';
    const job = await stage.world.homeserver.platform.jobs.wait(jobId, 20_000);
    expect([job?.kind, job?.target, job?.state]).toEqual(['reindex_room', room, 'completed']);
    for (const bad of ['room', '', '@a:x', '!a&room_id=!b']) {
      const refused = await stage.admin.request('POST', `${reindex}?room_id=${bad}`);
      expect(errorOf(refused)).toEqual([400, 'M_INVALID_PARAM']);
    }
  });

  it('says how the index is, and what repairs it', async () => {
    const room = await stage.room(stage.user);
    const event = `/rooms/${encodeURIComponent(room)}/send/m.room.message/s1`;
    await stage.user.call('PUT', event, { msgtype: 'm.text', body: 'found' });
    await stage.world.settled();
    const { status: code, body } = await stage.admin.request('GET', status);
    expect([code, body]).toEqual([
      200,
      {
        search: 'on',
        engine: expect.stringMatching(/^PostgreSQL \d/) as string,
        index: expect.objectContaining({ engine: 'postgresql', language: 'english' }) as object,
        comparison: expect.objectContaining({ complete: true, consistent: true }) as object,
        repair: { method: 'POST', path: reindex, job: 'reindex_search' },
      },
    ]);
    const { position, latest_position: latest } = body['index'] as Record<string, number>;
    expect(position).toBe(latest);
    const ofRoom = await stage.admin.request('GET', `${status}?room_id=${encodeURIComponent(room)}`);
    expect(ofRoom.body['comparison']).toMatchObject({ expected: 1, consistent: true });
    const short = await stage.admin.request('GET', `${status}?compare=false`);
    expect(short.body).not.toHaveProperty('comparison');
    for (const query of ['compare=maybe', 'room_id=x']) {
      const refused = await stage.admin.request('GET', `${status}?${query}`);
      expect(errorOf(refused)).toEqual([400, 'M_INVALID_PARAM']);
    }
  });
});

describe('while search is off', () => {
  it('refuses a reindex with the reason, and starts nothing (X6)', async () => {
    const stage = await Stage.open({ settings: { SENESCHAL_SEARCH: 'off' } });
    for (const method of ['GET', 'POST']) {
      const answer = await stage.admin.request(method, reindex);
      expect([answer.status, answer.body]).toEqual([
        400,
        { errcode: 'M_UNKNOWN', error: 'Search is turned off on this server.' },
      ]);
    }
    const { rows } = await stage.world.homeserver.platform.jobs.reads.list({}, { limit: 10 });
    expect(rows).toEqual([]);
    const answer = await stage.admin.request('GET', status);
    expect([answer.status, answer.body['search']]).toEqual([200, 'off']);
    await stage.stop();
  });
});
