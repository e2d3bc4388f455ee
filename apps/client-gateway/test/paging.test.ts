import type { TestClient, World } from '@seneschal/testing';
import { sql } from 'kysely';

import { openStage, roomOf } from './stage.ts';
import { room, said, say, type TestEvent } from './syncing.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

interface Page {
  chunk: TestEvent[];
  end?: string;
}

/** All pages in a direction, each of one event at most. */
async function pages(client: TestClient, roomId: string, dir: 'b' | 'f'): Promise<Page[]> {
  const all: Page[] = [];
  let from = '';
  do {
    const page = await client.call('GET', room(roomId, `/messages?dir=${dir}&limit=1${from}`));
    all.push(page as unknown as Page);
    from = page['end'] === undefined ? '' : `&from=${page['end'] as string}`;
  } while (from !== '');
  return all;
}

describe('GET /messages', () => {
  it.each(['b', 'f'] as const)(
    '19 (CVE-2026-45076): goes on after pages on which there is nothing to see (dir=%s)',
    async (dir) => {
      const roomId = await roomOf(alice, bob);
      await say(alice, roomId, 'first');
      const damaged: string[] = [];
      for (let index = 0; index < 30; index += 1) damaged.push(await say(alice, roomId, 'damaged'));
      await say(alice, roomId, 'last');
      await sql`UPDATE roomserver_events SET json = '{' WHERE event_id = ANY(${damaged})`.execute(world.sql);
      const seen = await pages(bob, roomId, dir);
      expect(seen.some(({ chunk, end }) => chunk.length === 0 && end !== undefined)).toBe(true);
      const found = said(seen.flatMap(({ chunk }) => chunk));
      expect(found).toEqual(dir === 'b' ? ['last', 'first'] : ['first', 'last']);
    },
  );
});
