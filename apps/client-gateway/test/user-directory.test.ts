import { startWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

import { setState } from './syncing.ts';

let world: World;
let asker: TestClient;
beforeAll(async () => {
  world = await startWorld();
  asker = await world.register('asker');
});
afterAll(() => world.stop());

interface Found {
  user_id: string;
  display_name?: string;
  avatar_url?: string;
}

async function search(client: TestClient, search_term: string, limit?: number) {
  const body = { search_term, ...(limit === undefined ? {} : { limit }) };
  const answer = await client.call('POST', '/user_directory/search', body);
  return answer as unknown as { results: Found[]; limited: boolean };
}

const found = async (client: TestClient, term: string): Promise<string[]> =>
  (await search(client, term)).results.map(({ user_id: id }) => id);

const setName = (client: TestClient, displayname: string) =>
  client.call('PUT', `/profile/${encodeURIComponent(client.userId)}/displayname`, { displayname });

describe('the user directory', () => {
  it('knows users by words of name and ID that begin so, whatever the case', async () => {
    const alice = await world.register('alice.smith', { displayname: 'Ålice  van-der Straßen' });
    const bob = await world.register('bob');
    const roomId = await alice.createRoom({ preset: 'public_chat' });
    await world.settled();
    for (const term of [
      'alice',
      'SMI',
      'ålice',
      'ÅLI',
      'straß',
      'der van',
      '@alice.smith:test.example',
      '@alice.sm',
    ]) {
      expect([term, await found(bob, term)]).toEqual([term, [alice.userId]]);
    }
    for (const term of ['lice', 'smith bob', 'alicex', 'example', '', '  ', '%', '_', "'", '*']) {
      expect([term, await found(bob, term)]).toEqual([term, []]);
    }
    expect(await found(alice, 'alice')).toEqual([]);
    await alice.leave(roomId);
    expect(await found(bob, 'alice')).toEqual([]);
  });

  it('shows those in public rooms to all, and others to those who share a room', async () => {
    const [carol, dave, erin] = (await Promise.all(
      ['carol', 'dave', 'erin'].map((name) => world.register(name, { displayname: `Hidden ${name}` })),
    )) as [TestClient, TestClient, TestClient];
    const secret = await carol.createRoom({ invite: [dave.userId] });
    await dave.join(secret);
    await world.settled();
    expect(await found(dave, 'hidden')).toEqual([carol.userId]);
    expect(await found(erin, 'hidden')).toEqual([]);
    await setState(carol, secret, 'm.room.history_visibility', { history_visibility: 'world_readable' });
    expect((await found(erin, 'hidden')).sort()).toEqual([carol.userId, dave.userId]);
    await setState(carol, secret, 'm.room.history_visibility', { history_visibility: 'shared' });
    expect(await found(erin, 'hidden')).toEqual([]);
    await setState(carol, secret, 'm.room.join_rules', { join_rule: 'public' });
    expect(await found(erin, 'hidden')).toHaveLength(2);
  });

  it('row 30: follows changes of names, tells names and avatars alone, and forgets who is gone', async () => {
    const frank = await world.register('frank', { displayname: 'Old Name', password: 'the password' });
    const grace = await world.register('grace');
    await frank.createRoom({ preset: 'public_chat' });
    await setName(frank, 'New Name');
    await world.settled();
    expect(await found(grace, 'old')).toEqual([]);
    expect((await search(grace, 'new')).results).toEqual([
      { user_id: frank.userId, display_name: 'New Name' },
    ]);
    const auth = { type: 'm.login.password', user: 'frank', password: 'the password' };
    await frank.call('POST', '/account/deactivate', { auth, erase: true });
    await world.settled();
    expect(await found(grace, 'new')).toEqual([]);
    const rows = await sql`SELECT FROM roomserver_directory_words WHERE user_id = ${frank.userId}`.execute(
      world.sql,
    );
    expect(rows.rows).toEqual([]);
  });

  it('says whether there are more, the closest first', async () => {
    const heidi = await world.register('heidi');
    const names = ['many', 'manyone', 'manytwo'];
    for (const name of names) {
      const client = await world.register(name);
      await client.createRoom({ preset: 'public_chat' });
    }
    await world.settled();
    expect(await search(heidi, 'many', 2)).toMatchObject({
      results: [{ user_id: '@many:test.example' }, { user_id: '@manyone:test.example' }],
      limited: true,
    });
    expect(await search(heidi, 'many', 3)).toMatchObject({ limited: false });
  });

  it('is made anew from the log alone', async () => {
    const ivan = await world.register('ivan');
    const judy = await world.register('judy');
    await ivan.createRoom({ preset: 'public_chat' });
    await world.settled();
    for (const table of ['roomserver_directory_users', 'roomserver_directory_words']) {
      await sql`DELETE FROM ${sql.id(table)}`.execute(world.sql);
    }
    await sql`UPDATE bus_checkpoints SET position = 0 WHERE consumer = 'roomserver-directory'`.execute(
      world.sql,
    );
    await world.settled();
    expect(await found(judy, 'ivan')).toEqual([ivan.userId]);
  });

  it.each([
    [{}, 400, 'M_MISSING_PARAM'],
    [{ search_term: 1 }, 400, 'M_BAD_JSON'],
    [{ search_term: 'x'.repeat(256) }, 400, 'M_BAD_JSON'],
    [{ search_term: 'x', limit: -1 }, 400, 'M_BAD_JSON'],
    [{ search_term: 'x', limit: '5' }, 400, 'M_BAD_JSON'],
  ])('%j is refused', async (body, status, errcode) => {
    const answer = await asker.request('POST', '/_matrix/client/v3/user_directory/search', { body });
    expect(answer).toMatchObject({ status, body: { errcode } });
  });
});
