import { roomserver } from '@seneschal/contracts';
import type { TestClient } from '@seneschal/testing';

import { engineNames } from './engines.ts';
import { SearchStage } from './searching.ts';

describe.each(engineNames)('who finds what: %s', (engine) => {
  let stage: SearchStage;
  let names = 0;
  beforeAll(async () => {
    stage = await SearchStage.open(engine);
  });
  afterAll(() => stage.stop());

  function somebody(): Promise<TestClient> {
    names += 1;
    return stage.world.register(`reader${names}`);
  }

  /** A room of the user with a history visibility, and a word of its own. */
  async function roomWith(visibility: string): Promise<[roomId: string, word: string]> {
    names += 1;
    const state = {
      type: 'm.room.history_visibility',
      state_key: '',
      content: { history_visibility: visibility },
    };
    return [await stage.user.createRoom({ preset: 'public_chat', initial_state: [state] }), `word${names}`];
  }

  it('shows nothing to those who were never in the room, whatever they ask for', async () => {
    for (const visibility of ['shared', 'joined', 'world_readable']) {
      const [room, word] = await roomWith(visibility);
      await stage.say(stage.user, room, word);
      const stranger = await somebody();
      await stranger.createRoom();
      expect(await stage.find(stranger, word)).toEqual([]);
      expect((await stage.search(stranger, word, { filter: { rooms: [room] } })).count).toBe(0);
    }
  });

  it.each([
    ['shared', ['before', 'invited', 'joined']],
    ['world_readable', ['before', 'invited', 'joined']],
    ['invited', ['invited', 'joined']],
    ['joined', ['joined']],
  ])('shows under %s what was sent %j, and counts no more', async (visibility, expected) => {
    const [room, word] = await roomWith(visibility);
    const reader = await somebody();
    const sent = { before: await stage.say(stage.user, room, word), invited: '', joined: '' };
    await stage.user.invite(room, reader.userId);
    sent.invited = await stage.say(stage.user, room, word);
    await reader.join(room);
    sent.joined = await stage.say(stage.user, room, word);
    const wanted = expected.map((when) => sent[when as keyof typeof sent]).reverse();
    expect(await stage.find(reader, word)).toEqual(wanted);
    expect((await stage.search(reader, word)).count).toBe(wanted.length);
    const { results } = await stage.search(reader, word, { event_context: { before_limit: 25 } });
    const around = results.flatMap(
      ({ context }) => context?.events_before.map((event) => event.event_id) ?? [],
    );
    expect(around.filter((id) => Object.values(sent).includes(id) && !wanted.includes(id))).toEqual([]);
  });

  it('follows a change of the visibility, and every stay of a member who comes and goes', async () => {
    const [room, word] = await roomWith('joined');
    const reader = await somebody();
    await reader.join(room);
    const first = await stage.say(stage.user, room, word);
    await reader.leave(room);
    await stage.say(stage.user, room, word);
    await stage.setState(stage.user, room, 'm.room.history_visibility', { history_visibility: 'shared' });
    const third = await stage.say(stage.user, room, word);
    await reader.join(room);
    expect(await stage.find(reader, word)).toEqual([third, first]);
  });

  it('22 (CVE-2024-53867): shows a room no more after leaving, being kicked or banned, and evacuation', async () => {
    const [room, word] = await roomWith('shared');
    const [leaver, kicked, banned, evacuated] = await Promise.all([1, 2, 3, 4].map(() => somebody()));
    for (const one of [leaver, kicked, banned, evacuated]) await one!.join(room);
    const sent = await stage.say(stage.user, room, word);
    expect(await stage.find(leaver!, word)).toEqual([sent]);
    await leaver!.leave(room);
    for (const [path, user] of [
      ['kick', kicked],
      ['ban', banned],
    ] as const) {
      const body = { user_id: user!.userId };
      await stage.user.call('POST', `/rooms/${encodeURIComponent(room)}/${path}`, body);
    }
    const { bus } = stage.world.homeserver.platform;
    const input = { userId: evacuated!.userId, requestedBy: stage.user.userId, dryRun: false };
    await bus.call(roomserver.evacuateUser, input);
    for (const one of [leaver, kicked, banned, evacuated]) {
      expect((await stage.search(one!, word)).results).toEqual([]);
      expect((await stage.search(one!, word)).count).toBe(0);
    }
    await leaver!.join(room);
    expect(await stage.find(leaver!, word)).toEqual([sent]);
  });

  it('shows a purged room no more, even before its membership is gone', async () => {
    const [room, word] = await roomWith('shared');
    await stage.say(stage.user, room, word);
    await stage.world.settled();
    expect(await stage.purge(room)).toEqual({ removed: 1 });
    expect(await stage.find(stage.user, word)).toEqual([]);
  });
});
