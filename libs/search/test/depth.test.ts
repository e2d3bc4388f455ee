import { sql } from 'kysely';

import { engineNames } from './engines.ts';
import { SearchStage } from './searching.ts';

describe.each(engineNames)('much to be found: %s', (engine) => {
  let stage: SearchStage;
  beforeAll(async () => {
    stage = await SearchStage.open(engine);
  });
  afterAll(() => stage.stop());

  /** All pages of a search; asserts that no hit comes twice. */
  async function walk(term: string, order: string): Promise<string[]> {
    const found: string[] = [];
    for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
      const criteria = { order_by: order, filter: { limit: 100 } };
      const page = await stage.search(stage.user, term, criteria, token);
      found.push(...page.results.map(({ result }) => result.event_id));
      token = page.next_batch;
    }
    expect(new Set(found).size).toBe(found.length);
    return found;
  }

  it('can be paged through beyond 1,000 hits, by time and by rank', async () => {
    const room = await stage.user.createRoom();
    await stage.sayMany(room, 1150);
    for (const order of ['recent', 'rank']) expect(await walk('swell', order)).toHaveLength(1150);
  });

  it('is found in each of 3,000 rooms of a user, also in those that once hid something', async () => {
    const { user, world } = stage;
    await addRooms(stage, 3000);
    // What was written past the server is known when the log has gone beyond it.
    await stage.say(user, await user.createRoom(), 'the end');
    await world.settled();
    expect((await stage.reindex()).state).toBe('completed');
    expect(await walk('barnacle', 'recent')).toHaveLength(2000);
    const page = await stage.search(user, 'barnacle', { filter: { limit: 1 } });
    expect(page.count).toBe(2000);
    await sql`
      UPDATE roomserver_memberships SET membership = 'leave'
      WHERE user_id = ${user.userId} AND room_nid IN (
        SELECT room_nid FROM roomserver_rooms WHERE room_id LIKE '!many%' AND room_id <> '!many3000:x')
    `.execute(world.sql);
    expect(await walk('barnacle', 'recent')).toEqual(['$barnacle3000']);
    // Meilisearch is asked a dozen questions for each page.
  }, 120_000);
});

/** Rooms of the user with one message each; each third one hides what was sent before the user joined. */
async function addRooms({ user, world }: SearchStage, count: number): Promise<void> {
  await sql`
    INSERT INTO roomserver_rooms (room_id, room_version, forward_extremities, depth, last_position,
      state_position, joined_members, invited_members, created_ts, may_hide_history)
    SELECT '!many' || n || ':x', '12', '{}', 1, 1, 1, 1, 0, 0, n % 3 = 1 FROM generate_series(1, ${count}::int) AS n
  `.execute(world.sql);
  for (const [name, type, stateKey, content, every] of [
    ['hides', 'm.room.history_visibility', '', { history_visibility: 'joined' }, 3],
    ['barnacle', 'm.room.message', null, { body: 'barnacle' }, 1],
    ['join', 'm.room.member', user.userId, { membership: 'join' }, 1],
  ] as const) {
    const ofState = stateKey === null ? {} : { state_key: stateKey };
    const pdu = { type, sender: user.userId, origin_server_ts: 1, content, ...ofState };
    await sql`
      INSERT INTO roomserver_events (position, room_nid, event_id, type, state_key, sender, json)
      SELECT nextval('roomserver_output_position'), room_nid, ${`$${name}`}::text || n, ${type}::text,
        ${stateKey}::text, ${user.userId}::text, ${JSON.stringify(pdu)}::text
      FROM generate_series(1, ${count}::int, ${every}::int) AS n
        JOIN roomserver_rooms ON room_id = '!many' || n || ':x'
    `.execute(world.sql);
  }
  await sql`
    INSERT INTO roomserver_memberships (room_nid, user_id, membership, position, is_local)
    SELECT room_nid, state_key, 'join', position, true FROM roomserver_events
    WHERE type = 'm.room.member' AND event_id LIKE '$join%'
  `.execute(world.sql);
}
