import { search } from '@seneschal/contracts';
import { sql } from 'kysely';

import { engineNames } from './engines.ts';
import { SearchStage } from './searching.ts';

describe.each(engineNames)('reindexing: %s', (engine) => {
  let stage: SearchStage;
  let room: string;
  beforeAll(async () => {
    stage = await SearchStage.open(engine, { logLevel: 'info' });
  });
  afterAll(() => stage.stop());
  beforeEach(async () => {
    room = await stage.user.createRoom({ preset: 'public_chat' });
  });

  it('counts every event once (X1), and says so in its last line', async () => {
    await stage.sayMany(room, 1234);
    const before = stage.world.logs.length;
    const job = await stage.reindex();
    expect(job.state).toBe('completed');
    expect(job.result).toMatchObject({ indexed: await stage.searchable(), unreadable: 0, refused: 0 });
    const lines = stage.world.logs.slice(before).filter((line) => line.includes('Indexed'));
    expect(lines[0]).toContain('Indexed 1000 events so far');
    expect(lines.at(-1)).toMatch(
      new RegExp(`Indexed ${job.result['indexed'] as number} events in \\d+\\.\\d\\ds`),
    );
    expect((await stage.search(stage.user, 'swell')).count).toBe(1234);
  });

  it('counts and skips rows that cannot be read (X3)', async () => {
    const bad = await stage.say(stage.user, room, 'a bad binnacle');
    const good = await stage.say(stage.user, room, 'a good binnacle');
    await stage.world.settled();
    await sql`UPDATE roomserver_events SET json = 'no JSON' WHERE event_id = ${bad}`.execute(stage.world.sql);
    const job = await stage.reindex();
    expect([job.state, job.skippedItems, job.result['unreadable']]).toEqual(['completed', 1, 1]);
    expect(job.result['indexed']).toBe(await stage.searchable());
    expect(await stage.find(stage.user, 'binnacle')).toEqual([good]);
    await sql`DELETE FROM roomserver_events WHERE event_id = ${bad}`.execute(stage.world.sql);
  });

  it('answers the job under way when asked twice (X5)', async () => {
    await stage.sayMany(room, 50);
    const { jobs } = stage.world.homeserver.platform;
    const asked = await Promise.all(
      ['@a:x', '@b:x'].map((requestedBy) => jobs.start(search.reindex, {}, { requestedBy })),
    );
    expect(new Set(asked.map((one) => one.jobId)).size).toBe(1);
    expect(asked.filter((one) => one.isNew)).toHaveLength(1);
    await stage.world.settled();
  });

  it('leaves no document behind without an event, nor an old text (X7)', async () => {
    const { user } = stage;
    const kept = await stage.say(user, room, 'a genuine rudder');
    const stale = await stage.say(user, room, 'a stale rudder');
    await stage.world.settled();
    await stage.spoil([
      { eventId: '$orphan', roomId: room, text: 'an orphaned rudder', position: 1 },
      { eventId: stale, roomId: room, text: 'a wrong keel', position: await stage.positionOf(stale) },
    ]);
    const bad = await stage.status();
    expect(bad.comparison).toMatchObject({
      missing: { count: 0 },
      stale: { count: 1, examples: [stale] },
      orphaned: { count: 1, examples: ['$orphan'] },
    });
    await stage.reindex();
    const good = await stage.status();
    expect(good.comparison).toMatchObject({
      expected: await stage.searchable(),
      missing: { count: 0 },
      stale: { count: 0 },
      orphaned: { count: 0 },
      isComplete: true,
    });
    expect(await stage.find(user, 'rudder')).toEqual([stale, kept]);
    expect(await stage.find(user, 'keel')).toEqual([]);
  });

  it('loses nothing of what happens meanwhile, and can be searched all the time (X7)', async () => {
    const { user } = stage;
    const second = await user.createRoom();
    await stage.sayMany(room, 300);
    const edited = await stage.say(user, room, 'old bowsprit');
    const redacted = await stage.say(user, room, 'secret bowsprit');
    const purged = await stage.say(user, second, 'purged bowsprit');
    const constant = await stage.say(user, room, 'constant spyglass');
    await stage.world.settled();
    const searches = stage.searchUntil(constant, 'spyglass');
    const reindexing = stage.reindex();
    await stage.edit(user, room, edited, 'new bowsprit');
    await stage.redact(user, room, redacted);
    await sql`DELETE FROM roomserver_rooms WHERE room_id = ${second}`.execute(stage.world.sql);
    await stage.purge(second);
    const late: string[] = [];
    for (let number = 0; number < 20; number += 1) late.unshift(await stage.say(user, room, `late bowsprit`));
    expect((await reindexing).state).toBe('completed');
    const found = await stage.find(user, 'bowsprit', { filter: { limit: 100 } });
    expect(found).toEqual([...late, edited]);
    expect(found).not.toContain(purged);
    expect(await stage.find(user, 'old')).toEqual([]);
    expect(await searches.stop()).toMatchObject({ incomplete: 0 });
    expect((await stage.status()).comparison).toMatchObject({
      missing: { count: 0 },
      stale: { count: 0 },
    });
  });

  it('says how the index is, also while another takes its place', async () => {
    await stage.sayMany(room, 200);
    const reindexes = { left: 3 };
    const reindexing = (async (): Promise<void> => {
      for (; reindexes.left > 0; reindexes.left -= 1) await stage.reindex();
    })();
    while (reindexes.left > 0) expect((await stage.status()).index).toBeDefined();
    await reindexing;
  });

  it('brings one room up to date in place', async () => {
    const { user } = stage;
    const kept = await stage.say(user, room, 'a lost halyard');
    await stage.world.settled();
    await stage.spoil([
      { eventId: '$orphan2', roomId: room, text: 'an orphaned halyard', position: 1 },
      { eventId: kept, roomId: room, text: 'a wrong text', position: await stage.positionOf(kept) },
    ]);
    const job = await stage.reindex(room);
    expect([job.state, job.result['indexed'], job.result['removed']]).toEqual(['completed', 1, 1]);
    expect((await stage.status(room)).comparison).toMatchObject({
      expected: 1,
      missing: { count: 0 },
      stale: { count: 0 },
      orphaned: { count: 0 },
    });
    expect(await stage.find(user, 'halyard')).toEqual([kept]);
  });

  it('drops the index that it has replaced, and what a cancelled job has left', async () => {
    const { jobs } = stage.world.homeserver.platform;
    await stage.reindex();
    const rows = await sql<{ state: string }>`SELECT state FROM search_indexes`.execute(stage.world.sql);
    expect(rows.rows).toEqual([{ state: 'live' }]);
    const { jobId } = await jobs.start(search.reindex, {}, { requestedBy: '@a:x' });
    await jobs.control(jobId, 'cancel').catch(() => undefined);
    await stage.world.settled();
    await stage.reindex();
    const after = await sql<{ state: string }>`SELECT state FROM search_indexes`.execute(stage.world.sql);
    expect(after.rows).toEqual([{ state: 'live' }]);
  });
});

describe('an index in another engine or language than configured', () => {
  it('is searched until the new one is there', async () => {
    const stage = await SearchStage.open('postgresql');
    const room = await stage.user.createRoom();
    const sent = await stage.say(stage.user, room, 'running');
    expect(await stage.find(stage.user, 'run')).toEqual([sent]);
    const again = await stage.beside({ SENESCHAL_SEARCH_LANGUAGE: 'simple' });
    expect(await again.find(again.user, 'run')).toEqual([]);
    expect(await again.find(again.user, 'running')).toEqual([sent]);
    expect((await again.status()).index).toMatchObject({ language: 'simple' });
    await again.world.stop();
    await stage.stop();
  });
});
