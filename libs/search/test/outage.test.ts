import { sql } from 'kysely';

import { meilisearchBinary, startPrivateMeilisearch } from './private-meilisearch.ts';
import { SearchStage } from './searching.ts';

/** What happens while the engine is away is found afterwards, as if it had never been. */
async function itCatchesUp(
  stage: SearchStage,
  engine: { takeAway(): Promise<unknown>; bringBack(): Promise<unknown> },
): Promise<void> {
  const { user } = stage;
  const room = await user.createRoom();
  const edited = await stage.say(user, room, 'ballast one');
  const redacted = await stage.say(user, room, 'ballast two');
  expect(await stage.find(user, 'ballast')).toEqual([redacted, edited]);
  await engine.takeAway();
  await stage.edit(user, room, edited, 'ballast changed once');
  const sent: string[] = [];
  for (let number = 0; number < 10; number += 1) sent.unshift(await stage.say(user, room, 'ballast late'));
  await stage.edit(user, room, edited, 'ballast changed twice');
  await stage.redact(user, room, redacted);
  await engine.bringBack();
  expect(await stage.find(user, 'ballast', { filter: { limit: 50 } })).toEqual([...sent, edited]);
  expect(await stage.find(user, 'once')).toEqual([]);
  expect(await stage.find(user, 'twice')).toEqual([edited]);
  expect((await stage.status()).comparison).toMatchObject({
    missing: { count: 0 },
    stale: { count: 0 },
    orphaned: { count: 0 },
  });
}

describe('a live index whose engine goes away', () => {
  it('loses nothing and catches up: PostgreSQL', async () => {
    const stage = await SearchStage.open('postgresql');
    const rename = async (from: (table: string) => string, to: (table: string) => string): Promise<void> => {
      const found = await sql<{ name: string }>`
        SELECT 'search_documents_' || generation AS name FROM search_indexes WHERE state = 'live'
      `.execute(stage.world.sql);
      const [{ name } = { name: '' }] = found.rows;
      await sql`ALTER TABLE ${sql.id(from(name))} RENAME TO ${sql.id(to(name))}`.execute(stage.world.sql);
    };
    await itCatchesUp(stage, {
      takeAway: () =>
        rename(
          (table) => table,
          () => 'away',
        ),
      bringBack: () =>
        rename(
          () => 'away',
          (table) => table,
        ),
    });
    await stage.stop();
  });
});

const withBinary = meilisearchBinary === undefined ? describe.skip : describe;

withBinary('a live index whose Meilisearch is killed', () => {
  it('loses nothing and catches up', async () => {
    const meilisearch = await startPrivateMeilisearch(meilisearchBinary ?? '');
    const { url, apiKey, prefix } = meilisearch.config;
    const stage = await SearchStage.open('postgresql', {
      settings: {
        SENESCHAL_MEILISEARCH_URL: url,
        SENESCHAL_MEILISEARCH_API_KEY: apiKey,
        SENESCHAL_MEILISEARCH_PREFIX: prefix,
      },
    });
    await itCatchesUp(stage, { takeAway: () => meilisearch.kill(), bringBack: () => meilisearch.start() });
    await stage.stop();
    await meilisearch.stop();
  }, 60_000);
});
