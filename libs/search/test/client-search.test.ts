import { engineNames } from './engines.ts';
import { SearchStage } from './searching.ts';

describe.each(engineNames)('POST /search: %s', (engine) => {
  let stage: SearchStage;
  let room: string;
  beforeAll(async () => {
    stage = await SearchStage.open(engine);
    room = await stage.user.createRoom({ preset: 'public_chat', name: 'Deck' });
  });
  afterAll(() => stage.stop());

  it('answers with the event, its surroundings, profiles, state, highlights and groups', async () => {
    const { user } = stage;
    const before = await stage.say(user, room, 'what came before');
    const hit = await stage.say(user, room, 'There she blows, a Leviathan');
    const after = await stage.say(user, room, 'what came after');
    await stage.world.settled();
    const answer = await stage.search(user, 'leviathan', {
      event_context: { before_limit: 1, after_limit: 1, include_profile: true },
      include_state: true,
      groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] },
    });
    expect(answer).toMatchObject({ count: 1, highlights: ['Leviathan'] });
    const [result] = answer.results;
    expect(result?.result).toMatchObject({
      event_id: hit,
      room_id: room,
      sender: user.userId,
      content: { body: 'There she blows, a Leviathan' },
    });
    expect(result?.context?.events_before.map((event) => event.event_id)).toEqual([before]);
    expect(result?.context?.events_after.map((event) => event.event_id)).toEqual([after]);
    expect(result?.context?.profile_info).toEqual({ [user.userId]: { displayname: 'The User' } });
    expect(answer.state?.[room]?.map((event) => event.type)).toContain('m.room.name');
    const group = { order: 0, results: [hit] };
    expect(answer.groups).toEqual({ room_id: { [room]: group }, sender: { [user.userId]: group } });
    expect(answer.next_batch).toBeUndefined();
  });

  it('gives tokens of a context that messages goes on from', async () => {
    const { user } = stage;
    const before = await stage.say(user, room, 'earlier still');
    await stage.say(user, room, 'a cuttlefish');
    await stage.world.settled();
    const [result] = (await stage.search(user, 'cuttlefish', { event_context: { before_limit: 0 } })).results;
    const path = `/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=1&from=${result?.context?.start ?? ''}`;
    const page = (await user.call('GET', path))['chunk'] as { event_id: string }[];
    expect(page.map((event) => event.event_id)).toEqual([before]);
  });

  it('narrows by rooms, senders, types and url', async () => {
    const { user } = stage;
    const other = await stage.world.register(`narrow${engine}`);
    const second = await user.createRoom({ preset: 'public_chat' });
    await other.join(second);
    const mine = await stage.say(user, room, 'a capstan');
    const theirs = await stage.say(other, second, 'the capstan');
    const picture = await stage.send(user, second, {
      msgtype: 'm.image',
      body: 'capstan.png',
      url: 'mxc://x/y',
    });
    const find = (filter: object): Promise<string[]> => stage.find(user, 'capstan', { filter });
    expect(await find({})).toEqual([picture, theirs, mine]);
    expect(await find({ rooms: [room] })).toEqual([mine]);
    expect(await find({ not_rooms: [room] })).toEqual([picture, theirs]);
    expect(await find({ rooms: ['!elsewhere:test.example'] })).toEqual([]);
    expect(await find({ rooms: [] })).toEqual([]);
    expect(await find({ senders: [other.userId] })).toEqual([theirs]);
    expect(await find({ senders: [] })).toEqual([]);
    expect(await find({ not_senders: [other.userId] })).toEqual([picture, mine]);
    expect(await find({ types: ['m.room.t*'] })).toEqual([]);
    expect(await find({ types: ['m.*sage'] })).toEqual([picture, theirs, mine]);
    expect(await find({ not_types: ['m.room.message'] })).toEqual([]);
    expect(await find({ contains_url: true })).toEqual([picture]);
    expect(await find({ limit: 1 })).toEqual([picture]);
  });

  it('pages to the end by time and by rank, over all and within a group', async () => {
    const { user } = stage;
    const second = await user.createRoom();
    const ids: string[] = [];
    for (let number = 0; number < 9; number += 1) {
      ids.unshift(await stage.say(user, number % 3 === 0 ? second : room, `kraken number ${number}`));
    }
    await stage.world.settled();
    for (const order of ['recent', 'rank']) {
      const found: string[] = [];
      for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
        const page = await stage.search(user, 'kraken', { order_by: order, filter: { limit: 4 } }, token);
        expect(page.count).toBeGreaterThan(0);
        found.push(...page.results.map(({ result }) => result.event_id));
        token = page.next_batch;
      }
      expect([...found].sort()).toEqual([...ids].sort());
      if (order === 'recent') expect(found).toEqual(ids);
    }
    const grouped = { filter: { limit: 2 }, groupings: { group_by: [{ key: 'room_id' }] } };
    const page = await stage.search(user, 'kraken', grouped);
    const rest = page.groups?.['room_id']?.[room];
    const next = await stage.search(user, 'kraken', { filter: { limit: 20 } }, rest?.next_batch);
    const inRoom = [...(rest?.results ?? []), ...next.results.map(({ result }) => result.event_id)];
    expect(inRoom).toEqual(ids.filter((_, index) => index % 3 !== 2));
  });

  it('shows on further pages nothing that was sent after the first', async () => {
    const { user } = stage;
    for (let number = 0; number < 4; number += 1) await stage.say(user, room, `petrel ${number}`);
    await stage.world.settled();
    const page = await stage.search(user, 'petrel', { order_by: 'rank', filter: { limit: 2 } });
    const late = await stage.say(user, room, 'petrel');
    await stage.world.settled();
    const rest = await stage.search(user, 'petrel', { order_by: 'rank' }, page.next_batch);
    expect(rest.results.map(({ result }) => result.event_id)).not.toContain(late);
    expect(new Set([...page.results, ...rest.results].map(({ result }) => result.event_id)).size).toBe(4);
  });

  it('fills a page from behind when hits have gone since they were indexed', async () => {
    const { user } = stage;
    const ids: string[] = [];
    for (let number = 0; number < 6; number += 1) ids.unshift(await stage.say(user, room, 'plankton'));
    await stage.world.settled();
    for (const id of ids.slice(0, 3)) await stage.redact(user, room, id);
    const page = await stage.search(user, 'plankton', { filter: { limit: 3 } });
    expect(page.results.map(({ result }) => result.event_id)).toEqual(ids.slice(3));
    expect(page.next_batch).toBeUndefined();
  });

  it('takes any term, and finds nothing for one without words', async () => {
    const { user } = stage;
    const quoted = await stage.say(user, room, 'the "Rachel" - O\'Brien & crew');
    for (const term of ['"Rachel"', '-Rachel', 'Rachel:*', 'rachel\0', '!(Rachel & crew)', '\\Rachel%_']) {
      expect(await stage.find(user, term)).toEqual([quoted]);
    }
    for (const term of ['!!! ... ---', "Rachel' OR 1=1 --", 'Rachel | nothing', '\ud800']) {
      expect(await stage.find(user, term)).toEqual([]);
    }
  });

  const room_events = { search_term: 'x' };
  it.each([
    ['no JSON', '{', 'M_NOT_JSON'],
    ['no categories', {}, 'M_MISSING_PARAM'],
    ['no term', { search_categories: { room_events: {} } }, 'M_MISSING_PARAM'],
    ['an empty term', { search_categories: { room_events: { search_term: '' } } }, 'M_BAD_JSON'],
    ['a long term', { search_categories: { room_events: { search_term: 'x'.repeat(1001) } } }, 'M_BAD_JSON'],
    ['an unknown key', { search_categories: { room_events: { ...room_events, keys: ['x'] } } }, 'M_BAD_JSON'],
    [
      'an unknown order',
      { search_categories: { room_events: { ...room_events, order_by: 'x' } } },
      'M_BAD_JSON',
    ],
    [
      'a filter of another type',
      { search_categories: { room_events: { ...room_events, filter: { rooms: 'x' } } } },
      'M_BAD_JSON',
    ],
    [
      'an unknown grouping',
      { search_categories: { room_events: { ...room_events, groupings: { group_by: [{ key: 'x' }] } } } },
      'M_BAD_JSON',
    ],
    [
      'a context beyond bounds',
      { search_categories: { room_events: { ...room_events, event_context: { before_limit: 1000 } } } },
      'M_BAD_JSON',
    ],
  ])('refuses %s', async (_, body, errcode) => {
    const answer = await stage.user.request('POST', '/_matrix/client/v3/search', { body });
    expect([answer.status, answer.body['errcode']]).toEqual([400, errcode]);
  });

  it('refuses what is no token, and a token of the other order', async () => {
    const { user } = stage;
    for (let number = 0; number < 2; number += 1) await stage.say(user, room, 'sturgeon');
    await stage.world.settled();
    const { next_batch: token = '' } = await stage.search(user, 'sturgeon', { filter: { limit: 1 } });
    for (const [order, text] of [
      ['rank', token],
      ['recent', 'x'],
      ['recent', Buffer.from('{"order":"recent","upTo":-1,"offset":0}').toString('base64url')],
    ] as const) {
      const answer = await stage.ask(user, { search_term: 'sturgeon', order_by: order }, text);
      expect([answer.status, answer.body['errcode']]).toEqual([400, 'M_INVALID_PARAM']);
    }
  });

  it('asks for a token, and answers one without rooms with nothing', async () => {
    const body = { search_categories: { room_events } };
    const answer = await stage.world.request('POST', '/_matrix/client/v3/search', { body });
    expect([answer.status, answer.body['errcode']]).toEqual([401, 'M_MISSING_TOKEN']);
    const loner = await stage.world.register(`loner${engine}`);
    expect(await stage.search(loner, 'whale')).toEqual({ count: 0, results: [], highlights: [] });
  });
});

describe('POST /search while search is off', () => {
  it('says so', async () => {
    const stage = await SearchStage.open('postgresql', { settings: { SENESCHAL_SEARCH: 'off' } });
    const answer = await stage.ask(stage.user, { search_term: 'x' });
    expect([answer.status, answer.body]).toEqual([
      400,
      { errcode: 'M_UNKNOWN', error: 'Search is turned off on this server.' },
    ]);
    await stage.world.settled();
    await stage.stop();
  });
});
