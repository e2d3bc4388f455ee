import { forgetRoom } from '../src/commands/forget-room.ts';
import { deleteRoomAlias, setRoomAlias, setRoomVisibility } from '../src/commands/room-aliases.ts';
import { alice, Rooms } from './rooms.ts';

const bob = '@bob:localhost';
const carol = '@carol:localhost';

let rooms: Rooms;
beforeAll(async () => {
  rooms = await Rooms.open();
});
afterAll(() => rooms.stop());

const forbidden = { errcode: 'M_FORBIDDEN', status: 403 };
const rule = (content: object) => [{ type: 'm.room.join_rules', stateKey: '', content: content as never }];

describe('createRoom', () => {
  it.each(['10', '11', '12'])('makes a room of version %s', async (roomVersion) => {
    const roomId = await rooms.create({
      roomVersion,
      name: 'N',
      topic: 'T',
      invite: [{ userId: bob, profile: {} }],
    });
    const events = await rooms.events(roomId);
    expect(events.map(({ pdu }) => pdu.type)).toEqual([
      'm.room.create',
      'm.room.member',
      'm.room.power_levels',
      'm.room.join_rules',
      'm.room.history_visibility',
      'm.room.guest_access',
      'm.room.name',
      'm.room.topic',
      'm.room.member',
    ]);
    const create = events[0];
    expect(roomId === `!${create?.event_id.slice(1) ?? ''}`).toBe(roomVersion === '12');
    expect(create?.pdu.content).toMatchObject({ room_version: roomVersion });
    expect(await rooms.room(roomId)).toMatchObject({ joined_members: 1, invited_members: 1, depth: 9 });
  });

  it('trusted_private_chat gives the invited the power of the creator', async () => {
    const invite = [{ userId: bob, profile: {} }];
    const v12 = await rooms.create({ preset: 'trusted_private_chat', invite });
    expect((await rooms.events(v12))[0]?.pdu.content['additional_creators']).toEqual([bob]);
    const v11 = await rooms.create({ preset: 'trusted_private_chat', invite, roomVersion: '11' });
    expect((await rooms.events(v11))[2]?.pdu.content['users']).toEqual({ [alice]: 100, [bob]: 100 });
  });

  it('makes different rooms of what one user asks for many times at once', async () => {
    const made = await Promise.all(Array.from({ length: 40 }, () => rooms.create()));
    expect(new Set(made).size).toBe(40);
  });

  it('names what is wrong, and nothing is left behind', async () => {
    await rooms.create({ aliasLocalpart: 'taken' });
    const count = () => rooms.db.selectFrom('roomserver_rooms').select('room_id').execute();
    const before = await count();
    await expect(rooms.create({ aliasLocalpart: 'taken' })).rejects.toMatchObject({
      errcode: 'M_ROOM_IN_USE',
    });
    await expect(rooms.create({ roomVersion: '99' })).rejects.toMatchObject({
      errcode: 'M_UNSUPPORTED_ROOM_VERSION',
    });
    await expect(
      rooms.create({ powerLevelContentOverride: { users: { [alice]: 'all' } } }),
    ).rejects.toMatchObject({ errcode: 'M_INVALID_ROOM_STATE', status: 400 });
    await expect(rooms.create({ aliasLocalpart: 'a b' })).rejects.toMatchObject({
      errcode: 'M_INVALID_PARAM',
    });
    expect(await count()).toEqual(before);
  });
});

describe('changeMembership', () => {
  it('invite, join, leave, and joining again as before answers the same event', async () => {
    const roomId = await rooms.create({ preset: 'private_chat' });
    await expect(rooms.change(roomId, 'join', bob)).rejects.toMatchObject(forbidden);
    await rooms.change(roomId, 'invite', alice, bob);
    const joined = await rooms.change(roomId, 'join', bob);
    expect(await rooms.change(roomId, 'join', bob)).toEqual(joined);
    const left = await rooms.change(roomId, 'leave', bob);
    expect(await rooms.change(roomId, 'leave', bob)).toEqual(left);
    await expect(rooms.change(roomId, 'join', bob)).rejects.toMatchObject(forbidden);
  });

  it('kick, ban and unban take the power and the right membership', async () => {
    const roomId = await rooms.create();
    await rooms.change(roomId, 'join', bob);
    await rooms.change(roomId, 'join', carol);
    await expect(rooms.change(roomId, 'kick', bob, carol)).rejects.toMatchObject(forbidden);
    await expect(rooms.change(roomId, 'unban', alice, bob)).rejects.toMatchObject(forbidden);
    await rooms.change(roomId, 'kick', alice, bob, { reason: 'noise' });
    await rooms.change(roomId, 'ban', alice, carol);
    await expect(rooms.change(roomId, 'kick', alice, carol)).rejects.toMatchObject(forbidden);
    await expect(rooms.change(roomId, 'join', carol)).rejects.toMatchObject(forbidden);
    await expect(rooms.change(roomId, 'leave', carol)).rejects.toMatchObject(forbidden);
    await rooms.change(roomId, 'unban', alice, carol);
    expect(await rooms.memberships(roomId)).toEqual({ [alice]: 'join', [bob]: 'leave', [carol]: 'leave' });
    expect((await rooms.events(roomId)).find(({ pdu }) => pdu.content['reason'] === 'noise')).toBeDefined();
  });

  it('members of an allowed room join a restricted one, others do not', async () => {
    const space = await rooms.create();
    await rooms.change(space, 'join', bob);
    const allow = [{ type: 'm.room_membership', room_id: space }];
    const initialState = rule({ join_rule: 'restricted', allow });
    const roomId = await rooms.create({ initialState });
    await rooms.change(roomId, 'join', bob);
    expect((await rooms.events(roomId)).at(-1)?.pdu.content).toMatchObject({
      join_authorised_via_users_server: alice,
    });
    await expect(rooms.change(roomId, 'join', carol)).rejects.toMatchObject(forbidden);
  });

  it('an unknown room is not found when entering, and forbidden otherwise', async () => {
    await expect(rooms.change('!no:localhost', 'join', bob)).rejects.toMatchObject({ status: 404 });
    await expect(rooms.change('!no:localhost', 'leave', bob)).rejects.toMatchObject(forbidden);
  });

  it('users of other servers are not invited before there is federation', async () => {
    const roomId = await rooms.create();
    await expect(rooms.change(roomId, 'invite', alice, '@x:elsewhere.org')).rejects.toMatchObject(forbidden);
  });
});

describe('sendEvent', () => {
  it('the same state again is the same event', async () => {
    const roomId = await rooms.create();
    const name = { name: 'a' };
    const first = await rooms.send(roomId, alice, 'm.room.name', name, { stateKey: '' });
    expect(await rooms.send(roomId, alice, 'm.room.name', name, { stateKey: '' })).toEqual(first);
    const other = await rooms.send(roomId, alice, 'm.room.name', { name: 'b' }, { stateKey: '' });
    const row = await rooms.db
      .selectFrom('roomserver_events as e')
      .leftJoin('roomserver_events as old', 'old.position', 'e.replaces')
      .select('old.event_id')
      .where('e.event_id', '=', other.eventId)
      .executeTakeFirstOrThrow();
    expect(row.event_id).toBe(first.eventId);
  });

  it.each(['11', '12'])('a redaction takes the content away (version %s)', async (roomVersion) => {
    const roomId = await rooms.create({ roomVersion });
    await rooms.change(roomId, 'join', bob);
    const { eventId } = await rooms.send(roomId, bob, 'm.room.message', { body: 'secret' });
    const foreign = await rooms.send(roomId, alice, 'm.room.message', { body: 'hers' });
    const redact = (sender: string, redacts: string) =>
      rooms.send(roomId, sender, 'm.room.redaction', {}, { redacts });
    await expect(redact(bob, foreign.eventId)).rejects.toMatchObject(forbidden);
    await expect(redact(bob, '$none')).rejects.toMatchObject({ status: 404 });
    await redact(bob, eventId);
    await redact(alice, foreign.eventId);
    const texts = JSON.stringify(await rooms.events(roomId));
    expect(texts).not.toContain('secret');
    expect(texts).not.toContain('hers');
  });

  it('redacted state is not remembered in full', async () => {
    const roomId = await rooms.create({ roomVersion: '11' });
    const { eventId } = await rooms.send(
      roomId,
      alice,
      'm.room.topic',
      { topic: 'secret' },
      { stateKey: '' },
    );
    await rooms.send(roomId, alice, 'm.room.redaction', {}, { redacts: eventId });
    const again = await rooms.send(roomId, alice, 'm.room.topic', { topic: 'secret' }, { stateKey: '' });
    expect(again.eventId).not.toBe(eventId);
  });

  it('a canonical alias has to be one of the room', async () => {
    const roomId = await rooms.create({ aliasLocalpart: 'here' });
    const set = (alias: string) =>
      rooms.send(roomId, alice, 'm.room.canonical_alias', { alias }, { stateKey: '' });
    await expect(set('#elsewhere:localhost')).rejects.toMatchObject({ errcode: 'M_BAD_ALIAS' });
    await expect(set('#here:localhost')).resolves.toBeDefined();
  });
});

describe('aliases and the directory', () => {
  it('an alias is made by a member, and taken away by its creator or with power', async () => {
    const roomId = await rooms.create();
    const other = await rooms.create();
    await rooms.change(roomId, 'join', bob);
    const alias = '#port:localhost';
    await setRoomAlias(rooms.deps, { alias, roomId, creator: bob });
    await setRoomAlias(rooms.deps, { alias, roomId, creator: bob });
    await expect(setRoomAlias(rooms.deps, { alias, roomId: other, creator: alice })).rejects.toMatchObject({
      status: 409,
    });
    await expect(
      setRoomAlias(rooms.deps, { alias: '#x:localhost', roomId, creator: carol }),
    ).rejects.toMatchObject(forbidden);
    await expect(deleteRoomAlias(rooms.deps, { alias, requestedBy: carol })).rejects.toMatchObject(forbidden);
    await deleteRoomAlias(rooms.deps, { alias, requestedBy: alice });
    await expect(deleteRoomAlias(rooms.deps, { alias, requestedBy: alice })).rejects.toMatchObject({
      status: 404,
    });
  });

  it('listing a room takes power in it', async () => {
    const roomId = await rooms.create();
    await rooms.change(roomId, 'join', bob);
    const list = (requestedBy: string) =>
      setRoomVisibility(rooms.deps, { roomId, requestedBy, listed: true });
    await expect(list(bob)).rejects.toMatchObject(forbidden);
    await list(alice);
    expect(await rooms.room(roomId)).toMatchObject({ is_listed: true });
  });
});

describe('forgetRoom', () => {
  it('takes leaving first, and writes a fact', async () => {
    const roomId = await rooms.create();
    await rooms.change(roomId, 'join', bob);
    const forget = () => forgetRoom(rooms.deps, { roomId, userId: bob });
    await expect(forget()).rejects.toMatchObject({ status: 400 });
    await rooms.change(roomId, 'leave', bob);
    await forget();
    const fact = await rooms.db
      .selectFrom('roomserver_output')
      .select('fact')
      .orderBy('position', 'desc')
      .executeTakeFirstOrThrow();
    expect(fact.fact).toEqual({ kind: 'room_forgotten', roomId, userId: bob });
  });
});
