import { sql } from 'kysely';

import { search } from '@seneschal/contracts';

import { openEngines } from '../src/engines/open-engines.ts';
import { sweep } from '../src/jobs/sweep.ts';
import { insertIndex } from '../src/storage/indexes.ts';
import type { SearchTables } from '../src/storage/tables.ts';
import { engineNames } from './engines.ts';
import { SearchStage } from './searching.ts';

describe.each(engineNames)('what a reindex has left behind: %s', (engine) => {
  let stage: SearchStage;
  beforeAll(async () => {
    stage = await SearchStage.open(engine);
    await stage.say(stage.user, await stage.user.createRoom(), 'jetsam');
    await stage.world.settled();
  });
  afterAll(() => stage.stop());

  const states = async (): Promise<string[]> => {
    const found = await sql<{ state: string }>`SELECT state FROM search_indexes`.execute(stage.world.sql);
    return found.rows.map((row) => row.state).sort();
  };

  /** An index of which no job knows, made in the engine. */
  async function leaveIndex(): Promise<void> {
    const { database, config } = stage.world.homeserver.platform;
    const { preferred, language } = openEngines(database, config);
    const db = database.tables<SearchTables>();
    const index = await insertIndex(db, { engine: preferred.name, language, state: 'building' });
    if (index !== undefined) await preferred.create(index);
  }

  function sweepOnce(): Promise<void> {
    const { database, config, jobs } = stage.world.homeserver.platform;
    const db = database.tables<SearchTables>();
    return sweep({ db, engines: openEngines(database, config), jobs });
  }

  it('is dropped when no job works on it, and the index that is searched is not', async () => {
    await leaveIndex();
    expect(await states()).toEqual(['building', 'live']);
    await Promise.all([sweepOnce(), sweepOnce()]);
    expect(await states()).toEqual(['live']);
    expect((await stage.search(stage.user, 'jetsam')).count).toBe(1);
  });

  it('stays while a job is under way', async () => {
    await stage.reindex();
    await leaveIndex();
    await sql`
      UPDATE jobs SET state = 'paused', finished_ts = NULL WHERE kind = ${search.reindex.name}
    `.execute(stage.world.sql);
    await sweepOnce();
    expect(await states()).toContain('building');
  });
});
