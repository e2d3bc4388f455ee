import { startWorld, type World } from '@seneschal/testing';
import {
  Direction,
  EventType,
  type MatrixEvent,
  MsgType,
  NotificationCountType,
  Preset,
  RelationType,
  RoomType,
  Visibility,
} from 'matrix-js-sdk';

import { logIn, password, type Person, roomOf, sharedRoom, until } from './clients.ts';

let world: World, alice: Person, bob: Person;
beforeAll(async () => {
  world = await startWorld();
  for (const name of ['alice', 'bob']) {
    await world.register(name, { password, displayname: name === 'alice' ? 'Alice' : 'Bob' });
  }
  alice = await logIn(world, 'alice');
  bob = await logIn(world, 'bob');
});
afterAll(async () => {
  for (const { client } of [alice, bob]) client.stopClient();
  await world.stop();
});

const open = { preset: Preset.PublicChat };

const say = async ({ client }: Person, roomId: string, body: string): Promise<string> =>
  (await client.sendTextMessage(roomId, body)).event_id;

const seen = (person: Person, roomId: string, eventId: string): Promise<MatrixEvent> =>
  until(person, () => person.client.getRoom(roomId)?.findEventById(eventId));

/** What a client that starts now sees. */
async function anew<T>(name: string, look: (person: Person) => Promise<T>): Promise<T> {
  const person = await logIn(world, name);
  try {
    return await look(person);
  } finally {
    person.client.stopClient();
  }
}

describe('a timeline', () => {
  it('shows edits, reactions and redactions as they happen, and to a client that comes later', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    const [edited, redacted] = [await say(alice, roomId, 'Cal me'), await say(alice, roomId, 'Oops')];
    const body = 'Call me Ishmael.';
    await alice.client.sendMessage(roomId, {
      msgtype: MsgType.Text,
      body: `* ${body}`,
      'm.new_content': { msgtype: MsgType.Text, body },
      'm.relates_to': { rel_type: RelationType.Replace, event_id: edited },
    });
    const key = '🐳';
    await bob.client.sendEvent(roomId, EventType.Reaction, {
      'm.relates_to': { rel_type: RelationType.Annotation, event_id: edited, key },
    });
    await alice.client.redactEvent(roomId, redacted, undefined, { reason: 'typing' });

    const check = async (person: Person): Promise<void> => {
      const event = await seen(person, roomId, edited);
      await until(person, () => event.replacingEvent() !== null);
      expect(event.getContent()).toMatchObject({ body });
      const gone = await seen(person, roomId, redacted);
      await until(person, () => gone.isRedacted());
      expect(gone.getContent()).toEqual({});
      expect(gone.getUnsigned().redacted_because).toMatchObject({ content: { reason: 'typing' } });
      const { events } = await person.client.relations(roomId, edited, RelationType.Annotation, 'm.reaction');
      expect(events.map((each) => [each.getSender(), each.getRelation()?.key])).toEqual([[bob.userId, key]]);
    };
    await check(bob);
    await anew('bob', check);
  });

  it('goes back page by page to the first event, without a gap or an event twice', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    const sent: string[] = [];
    for (let index = 0; index < 50; index += 1) sent.push(await say(alice, roomId, String(index)));
    await anew('bob', async (person) => {
      const room = await roomOf(person, roomId);
      const texts = (): string[] =>
        room
          .getLiveTimeline()
          .getEvents()
          .filter((event) => event.getType() === 'm.room.message')
          .map((event) => event.getId()!);
      expect(texts().length).toBeLessThan(50);
      while (room.getLiveTimeline().getPaginationToken(Direction.Backward) !== null) {
        await person.client.scrollback(room, 15);
      }
      expect(texts()).toEqual(sent);
      const created = room.getLiveTimeline().getEvents()[0];
      expect(created?.getType()).toBe('m.room.create');
      const around = await person.client.getEventTimeline(room.getUnfilteredTimelineSet(), sent[20]!);
      expect(around?.getEvents().some((event) => event.getId() === sent[20])).toBe(true);
    });
  });

  it('has threads, which a client that comes later finds by their list', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    const root = await say(alice, roomId, 'root');
    await seen(bob, roomId, root);
    const answers: string[] = [];
    for (const body of ['one', 'two']) {
      const content = { msgtype: MsgType.Text as const, body };
      answers.push((await bob.client.sendMessage(roomId, root, content)).event_id);
    }
    const check = async (person: Person): Promise<void> => {
      const room = await roomOf(person, roomId);
      const thread = await until(person, () => room.getThread(root), room);
      await until(person, () => thread.length === 2 && thread.replyToEvent?.getId() === answers[1], room);
      expect(thread.rootEvent?.getContent()).toMatchObject({ body: 'root' });
    };
    await check(alice);
    await anew('alice', async (person) => {
      const room = await roomOf(person, roomId);
      await room.createThreadsTimelineSets();
      await room.fetchRoomThreads();
      await check(person);
    });
  });
});

describe('those who are in a room', () => {
  it('see each other type and read, and have their unread messages counted', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    const [here, there] = [await roomOf(alice, roomId), await roomOf(bob, roomId)];
    await bob.client.sendTyping(roomId, true, 60_000);
    await until(alice, () => here.getMember(bob.userId)?.typing);
    await bob.client.sendTyping(roomId, false, 0);
    await until(alice, () => here.getMember(bob.userId)?.typing === false);

    const { event_id: eventId } = await alice.client.sendMessage(roomId, {
      msgtype: MsgType.Text,
      body: 'Bob, are you there?',
      'm.mentions': { user_ids: [bob.userId] },
    });
    const event = await seen(bob, roomId, eventId);
    await until(bob, () => there.getUnreadNotificationCount(NotificationCountType.Total) === 1);
    expect(there.getUnreadNotificationCount(NotificationCountType.Highlight)).toBe(1);
    await bob.client.setRoomReadMarkers(roomId, eventId, event);
    await until(bob, () => there.getUnreadNotificationCount(NotificationCountType.Total) === 0);
    await until(alice, () => here.getEventReadUpTo(bob.userId) === eventId);
    expect(here.hasUserReadEvent(bob.userId, eventId)).toBe(true);
    const fullyRead = await until(bob, () => there.getAccountData(EventType.FullyRead));
    expect(fullyRead.getContent()).toEqual({ event_id: eventId });
  });

  it('see names change, kicks, bans and upgrades', async () => {
    const roomId = await sharedRoom(alice, [bob], { name: 'Pequod' });
    const [here, there] = [await roomOf(alice, roomId), await roomOf(bob, roomId)];
    await bob.client.setDisplayName('Queequeg');
    await until(alice, () => here.getMember(bob.userId)?.name === 'Queequeg');
    await alice.client.kick(roomId, bob.userId, 'overboard');
    await until(bob, () => there.getMyMembership() === 'leave');
    await alice.client.invite(roomId, bob.userId);
    await until(bob, () => there.getMyMembership() === 'invite');
    await bob.client.joinRoom(roomId);
    await until(bob, () => there.getMyMembership() === 'join');

    const { replacement_room: next } = await alice.client.upgradeRoom(roomId, '11');
    const tombstone = await until(bob, () =>
      there.getLiveTimeline().getState(Direction.Forward)?.getStateEvents('m.room.tombstone', ''),
    );
    expect(tombstone.getContent()).toMatchObject({ replacement_room: next });
    const newer = await roomOf(alice, next);
    expect(newer.findPredecessor()?.roomId).toBe(roomId);
    expect(newer.getVersion()).toBe('11');
    await alice.client.ban(roomId, bob.userId);
    await until(bob, () => there.getMyMembership() === 'ban');
    await expect(bob.client.joinRoom(roomId)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });

  it('tag rooms, ignore each other and forget', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    const there = await roomOf(bob, roomId);
    await bob.client.setRoomTag(roomId, 'm.favourite', { order: 0.5 });
    await until(bob, () => there.tags['m.favourite']);
    await bob.client.setIgnoredUsers([alice.userId]);
    await until(bob, () => bob.client.isUserIgnored(alice.userId));
    await bob.client.setIgnoredUsers([]);
    await until(bob, () => !bob.client.isUserIgnored(alice.userId));
    await bob.client.leave(roomId);
    await until(bob, () => there.getMyMembership() === 'leave');
    await bob.client.forget(roomId);
    await anew('bob', async (person) => {
      expect(person.client.getRoom(roomId)).toBeNull();
    });
  });
});

describe('what can be found', () => {
  it('is the rooms of a space, as a tree', async () => {
    const { room_id: space } = await alice.client.createRoom({
      ...open,
      name: 'Fleet',
      creation_content: { type: RoomType.Space },
    });
    const { room_id: child } = await alice.client.createRoom({ ...open, name: 'Pequod' });
    await alice.client.sendStateEvent(space, EventType.SpaceChild, { via: [world.serverName] }, child);
    await bob.client.joinRoom(space);
    expect((await roomOf(bob, space)).isSpaceRoom()).toBe(true);
    const { rooms } = await bob.client.getRoomHierarchy(space);
    expect(rooms.map(({ name, room_type: type }) => [name, type])).toEqual([
      ['Fleet', 'm.space'],
      ['Pequod', undefined],
    ]);
    expect(rooms[0]?.children_state.map((event) => event.state_key)).toEqual([child]);
  });

  it('is messages by their words, with those around them', async () => {
    const roomId = await sharedRoom(alice, [bob]);
    await say(alice, roomId, 'before it');
    const eventId = await say(alice, roomId, 'the harpooneer sleeps');
    await say(alice, roomId, 'after it');
    await world.settled();
    const { results, count } = await bob.client.searchRoomEvents({ term: 'harpooneer' });
    expect(count).toBe(1);
    const timeline = results[0]?.context.getTimeline().map((event) => event.getContent()['body'] as string);
    expect(timeline).toEqual(['before it', 'the harpooneer sleeps', 'after it']);
    expect(results[0]?.context.getEvent().getId()).toBe(eventId);
  });

  it('is public rooms, aliases, users and events by their time', async () => {
    const { room_id: roomId } = await alice.client.createRoom({
      ...open,
      name: 'Spouter Inn',
      room_alias_name: 'spouter',
      visibility: Visibility.Public,
    });
    const alias = `#spouter:${world.serverName}`;
    const found = await bob.client.publicRooms({ filter: { generic_search_term: 'spouter' } });
    expect(found.chunk).toMatchObject([{ room_id: roomId, canonical_alias: alias, name: 'Spouter Inn' }]);
    expect(await bob.client.getRoomIdForAlias(alias)).toMatchObject({ room_id: roomId });
    await bob.client.joinRoom(alias);
    await roomOf(bob, roomId);
    const { results } = await bob.client.searchUserDirectory({ term: 'ali' });
    expect(results.map(({ user_id: userId }) => userId)).toEqual([alice.userId]);
    const eventId = await say(alice, roomId, 'on the day');
    const event = await seen(bob, roomId, eventId);
    expect(await bob.client.timestampToEvent(roomId, event.getTs(), Direction.Forward)).toMatchObject({
      event_id: eventId,
    });
  });
});
