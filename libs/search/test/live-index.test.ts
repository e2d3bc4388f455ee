import { sql } from 'kysely';

import { engineNames } from './engines.ts';
import { SearchStage } from './searching.ts';

describe.each(engineNames)('the live index: %s', (engine) => {
  let stage: SearchStage;
  let room: string;
  beforeAll(async () => {
    stage = await SearchStage.open(engine);
  });
  afterAll(() => stage.stop());
  beforeEach(async () => {
    room = await stage.user.createRoom({ preset: 'public_chat' });
  });

  it('finds messages, names and topics', async () => {
    const { user } = stage;
    const message = await stage.say(user, room, 'Call me Ishmael');
    await stage.setState(user, room, 'm.room.name', { name: 'The Spouter Inn' });
    await stage.setState(user, room, 'm.room.topic', { topic: 'Landlords and harpooneers' });
    expect(await stage.find(user, 'ishmael')).toEqual([message]);
    expect(await stage.find(user, 'spouter')).toHaveLength(1);
    expect(await stage.find(user, 'harpooneers')).toHaveLength(1);
    expect(await stage.find(user, 'harpooneers', { keys: ['content.body', 'content.name'] })).toEqual([]);
    expect(await stage.find(user, 'spouter', { keys: ['content.name'] })).toHaveLength(1);
  });

  it('takes in nothing but text of those types', async () => {
    const { user } = stage;
    await stage.send(user, room, { body: 'elsewhere zanzibar' }, 'com.example.other');
    await stage.send(user, room, { msgtype: 'm.text', body: 7 });
    await stage.send(user, room, { msgtype: 'm.text' });
    await stage.send(user, room, { ciphertext: 'zanzibar' }, 'm.room.encrypted');
    expect(await stage.find(user, 'zanzibar')).toEqual([]);
  });

  it('shows an edit in the place of what it edits, whatever becomes of either', async () => {
    const { user } = stage;
    const original = await stage.say(user, room, 'first quadrant');
    const first = await stage.edit(user, room, original, 'second quintant');
    const second = await stage.edit(user, room, original, 'third sextant');
    expect(await stage.find(user, 'quadrant')).toEqual([]);
    expect(await stage.find(user, 'quintant')).toEqual([]);
    expect(await stage.find(user, 'sextant')).toEqual([original]);
    await stage.redact(user, room, second);
    expect(await stage.find(user, 'sextant')).toEqual([]);
    expect(await stage.find(user, 'quintant')).toEqual([original]);
    await stage.redact(user, room, first);
    expect(await stage.find(user, 'quadrant')).toEqual([original]);
    await stage.redact(user, room, original);
    expect(await stage.find(user, 'quadrant')).toEqual([]);
  });

  it('takes no edit from anyone but the sender, nor of an edit', async () => {
    const { user } = stage;
    const other = await stage.world.register(`other${Date.now()}`);
    await other.join(room);
    const original = await stage.say(user, room, 'genuine doubloon');
    await stage.edit(other, room, original, 'forged doubloon');
    const edit = await stage.edit(user, room, original, 'genuine ducat');
    await stage.edit(user, room, edit, 'counterfeit ducat');
    expect(await stage.find(user, 'forged')).toEqual([]);
    expect(await stage.find(user, 'counterfeit')).toEqual([]);
    expect(await stage.find(user, 'ducat')).toEqual([original]);
  });

  it('loses what is redacted at once, even before the index has been told', async () => {
    const { user } = stage;
    const secret = await stage.say(user, room, 'buried treasure');
    expect(await stage.find(user, 'treasure')).toEqual([secret]);
    await stage.redact(user, room, secret);
    expect((await stage.search(user, 'treasure')).results).toEqual([]);
    expect(await stage.find(user, 'treasure')).toEqual([]);
    expect((await stage.search(user, 'treasure')).count).toBe(0);
  });

  it('goes past an event that cannot be read', async () => {
    const { user, world } = stage;
    const bad = await stage.say(user, room, 'unreadable scrimshaw');
    await sql`UPDATE roomserver_events SET json = 'no JSON' WHERE event_id = ${bad}`.execute(world.sql);
    const good = await stage.say(user, room, 'readable scrimshaw');
    expect(await stage.find(user, 'scrimshaw')).toEqual([good]);
  });

  it('removes a room with purgeRoom, once and again, and nothing of other rooms', async () => {
    const { user } = stage;
    const other = await user.createRoom();
    await stage.say(user, room, 'ambergris one');
    await stage.say(user, room, 'ambergris two');
    const kept = await stage.say(user, other, 'ambergris three');
    await stage.world.settled();
    const removed = await Promise.all([stage.purge(room), stage.purge(room)]);
    expect(removed.reduce((sum, one) => sum + one.removed, 0)).toBe(2);
    expect(await stage.purge(room)).toEqual({ removed: 0 });
    expect(await stage.purge('!never:test.example')).toEqual({ removed: 0 });
    expect(await stage.find(user, 'ambergris')).toEqual([kept]);
  });

  it('is the same whether it hears of events one by one or all at once, in whatever order', async () => {
    const { user, world } = stage;
    const original = await stage.say(user, room, 'mainmast');
    await stage.edit(user, room, original, 'foremast');
    const gone = await stage.say(user, room, 'mizzenmast');
    await stage.redact(user, room, gone);
    await world.settled();
    await sql`UPDATE bus_checkpoints SET position = 0 WHERE consumer = 'search-roomserver'`.execute(
      world.sql,
    );
    expect(await stage.find(user, 'foremast')).toEqual([original]);
    expect(await stage.find(user, 'mainmast')).toEqual([]);
    expect(await stage.find(user, 'mizzenmast')).toEqual([]);
  });
});
