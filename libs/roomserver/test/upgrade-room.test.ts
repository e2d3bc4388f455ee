import { type JsonObject, roomVersion } from '@seneschal/matrix';

import { upgradeRoom } from '../src/commands/upgrade-room.ts';
import { closingLevels, successorLevels, transferredState } from '../src/room/succession.ts';
import { RoomDraft } from '../src/room/room-draft.ts';
import { newRoom, signer } from './fixtures.ts';
import { alice, once, Rooms } from './rooms.ts';

let rooms: Rooms;
beforeAll(async () => {
  rooms = await Rooms.open();
});
afterAll(() => rooms.stop());

const ask = (roomId: string, more = {}) => ({
  roomId,
  requestedBy: alice,
  profile: {},
  newVersion: '12',
  additionalCreators: [],
  ...more,
});

const count = async (): Promise<number> => {
  const rows = await rooms.db.selectFrom('roomserver_rooms').select('room_nid').execute();
  return rows.length;
};

describe('upgradeRoom', () => {
  it('stores nothing at all when it does not come to its end, and can be done again', async () => {
    const roomId = await rooms.create({ roomVersion: '11', aliasLocalpart: 'crash' });
    const before = [await count(), (await rooms.events(roomId)).length];
    const crash = { remember: () => Promise.reject(new Error('the process died')) };
    await expect(upgradeRoom(rooms.deps, ask(roomId), crash)).rejects.toThrow('the process died');
    expect([await count(), (await rooms.events(roomId)).length]).toEqual(before);
    const { replacementRoom } = await upgradeRoom(rooms.deps, ask(roomId), once);
    const { room_nid: successor } = await rooms.room(replacementRoom);
    const alias = await rooms.db
      .selectFrom('roomserver_aliases')
      .select('room_nid')
      .where('alias', '=', '#crash:localhost')
      .executeTakeFirstOrThrow();
    expect(alias.room_nid).toBe(successor);
    // The old room can be written to as before.
    await rooms.send(roomId, alice, 'm.room.message', { body: 'x' });
  });

  it('wakes the consumers with the last position, and none when there was nothing to do', async () => {
    const roomId = await rooms.create({ roomVersion: '11' });
    await upgradeRoom(rooms.deps, ask(roomId), once);
    const last = (await rooms.events(roomId)).at(-1)?.position;
    expect(rooms.woken.at(-1)).toBe(last);
    const woken = rooms.woken.length;
    await upgradeRoom(rooms.process(), ask(roomId), once);
    expect(rooms.woken).toHaveLength(woken);
  });

  it('does not let a blocked room go on as another', async () => {
    const roomId = await rooms.create();
    await rooms.evacuate(await rooms.create());
    await rooms.db
      .insertInto('roomserver_blocked_rooms')
      .values({ room_id: roomId, blocked_by: alice, created_ts: 1 })
      .execute();
    const forbidden = expect.objectContaining({ errcode: 'M_FORBIDDEN' }) as Error;
    await expect(upgradeRoom(rooms.deps, ask(roomId), once)).rejects.toThrow(forbidden);
  });

  it('G9: a message meanwhile is in the old room before the tombstone or is refused after it', async () => {
    const bob = '@bob:localhost';
    const roomId = await rooms.create({ roomVersion: '11' });
    await rooms.change(roomId, 'join', bob);
    const messages = Array.from({ length: 10 }, (_, index) =>
      rooms.send(roomId, bob, 'm.room.message', { index }).then(
        () => true,
        () => false,
      ),
    );
    await upgradeRoom(rooms.process(), ask(roomId), once);
    const sent = (await Promise.all(messages)).filter(Boolean).length;
    const types = (await rooms.events(roomId)).map(({ pdu }) => pdu.type);
    expect(types.filter((type) => type === 'm.room.message')).toHaveLength(sent);
    expect(types.lastIndexOf('m.room.message')).toBeLessThan(types.indexOf('m.room.tombstone'));
  });
});

/** A room of an old version with state that only another server could have set. */
function oldRoom(
  version: string,
  levels: JsonObject | undefined,
  more: Record<string, JsonObject> = {},
): RoomDraft {
  const healthy = newRoom();
  const state = new Map(healthy.state);
  const event = state.get('m.room.power_levels\0')!;
  state.delete('m.room.power_levels\0');
  const set = { ...more, ...(levels === undefined ? {} : { 'm.room.power_levels': levels }) };
  for (const [type, content] of Object.entries(set)) {
    state.set(`${type}\0`, { ...event, pdu: { ...event.pdu, type, content } });
  }
  return new RoomDraft({ ...healthy.room, version: roomVersion(version), state }, signer);
}

describe('the levels of a successor', () => {
  const bob = '@bob:localhost';
  const mixed = {
    users: { [bob]: ' +60 ', [alice]: '9'.repeat(40) },
    ban: '50',
    events: { x: '1' },
    extra: 'y',
  };

  it('are integers in range, whatever the old version took', () => {
    expect(successorLevels(oldRoom('9', mixed), newRoom(), alice)).toEqual({
      users: { [bob]: 60, [alice]: Number.MAX_SAFE_INTEGER },
      ban: 50,
      events: { x: 1 },
      extra: 'y',
    });
    const floats = { users: { [bob]: 50.9 }, notifications: { room: 1.5, bad: 'x' } };
    expect(successorLevels(oldRoom('5', floats), newRoom(), alice)).toEqual({
      users: { [bob]: 50 },
      notifications: { room: 1 },
    });
  });

  it('are the usual ones when there are none that can be read', () => {
    for (const levels of [undefined, { users: 'all' }]) {
      expect(successorLevels(oldRoom('11', levels), newRoom(), alice)).toMatchObject({
        users: { [alice]: 100 },
        state_default: 50,
      });
    }
  });

  it('close the old room: above what everybody has, and never lower than before', () => {
    expect(closingLevels(oldRoom('9', mixed))).toMatchObject({ events_default: 50, invite: 50, ban: 50 });
    expect(closingLevels(oldRoom('11', { users_default: 70 }))).toMatchObject({
      events_default: 71,
      invite: 71,
    });
    expect(closingLevels(oldRoom('11', { events_default: 90, invite: 10 }))).toMatchObject({
      events_default: 90,
      invite: 50,
    });
    expect(closingLevels(oldRoom('11', { events_default: 50, invite: 50 }))).toBeUndefined();
    expect(closingLevels(oldRoom('11', undefined))).toBeUndefined();
  });
});

it('what is transferred is what the specification recommends', () => {
  const state = transferredState(
    oldRoom('11', {}, { 'm.room.server_acl': { allow: ['*'] }, 'm.room.pinned_events': { pinned: [] } }),
    roomVersion('12'),
    alice,
  );
  const types = state.map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining(['m.room.join_rules', 'm.room.server_acl']));
  expect(types).not.toContain('m.room.pinned_events');
});
