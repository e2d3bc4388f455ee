import { canonicalJson } from '@seneschal/matrix';
import { sql } from 'kysely';

import { evacuateRoom } from '../src/commands/evacuate-room.ts';
import { admin, alice, once, Rooms } from './rooms.ts';

let rooms: Rooms;
beforeAll(async () => {
  rooms = await Rooms.open();
});
afterAll(() => rooms.stop());

describe('evacuateRoom', () => {
  it('makes every local member leave by an event of their own, with the content kept', async () => {
    const roomId = await rooms.create();
    const users = await rooms.joinMany(roomId, 5);
    const before = (await rooms.events(roomId)).length;
    const { affected, failed } = await rooms.evacuate(roomId);
    expect(affected).toEqual([alice, ...users]);
    expect(failed).toEqual([]);
    const leaves = (await rooms.events(roomId)).slice(before).map(({ pdu }) => pdu);
    expect(leaves.map((pdu) => [pdu.sender, pdu.state_key])).toEqual(affected.map((user) => [user, user]));
    expect(leaves[1]?.content).toEqual({ membership: 'leave', displayname: users[0] });
    expect(await rooms.room(roomId)).toMatchObject({ joined_members: 0, invited_members: 0 });
  });

  it('E2: makes one chain, and one forward extremity is left', async () => {
    const roomId = await rooms.create();
    await rooms.joinMany(roomId, 300);
    const before = (await rooms.events(roomId)).length;
    await rooms.evacuate(roomId);
    const all = await rooms.events(roomId);
    const leaves = all.slice(before);
    expect(leaves).toHaveLength(301);
    expect(leaves.map(({ pdu }) => pdu.prev_events)).toEqual(
      all.slice(before - 1, -1).map((event) => [event.event_id]),
    );
    expect((await rooms.room(roomId)).forward_extremities).toEqual([all.at(-1)?.event_id]);
  });

  it('E1, E3: names who cannot leave, with the reason, and stops no other', async () => {
    const roomId = await rooms.create();
    const [unreadable = '', banned = '', fine = ''] = await rooms.joinMany(roomId, 3);
    await rooms.damage(roomId, unreadable, () => 'no JSON');
    await rooms.damage(roomId, banned, (json) => json.replace('"membership":"join"', '"membership":"ban"'));
    const { affected, failed } = await rooms.evacuate(roomId);
    expect(affected).toEqual([alice, fine]);
    expect(failed).toEqual([
      { userId: unreadable, reason: expect.stringContaining('cannot be read') as string },
      { userId: banned, reason: expect.stringContaining('says "ban"') as string },
    ]);
    expect(await rooms.memberships(roomId)).toMatchObject({ [unreadable]: 'join', [fine]: 'leave' });
  });

  it('E4: withdraws invites and knocks, and leaves bans and other servers alone', async () => {
    const roomId = await rooms.create({
      initialState: [{ type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'knock' } }],
    });
    await rooms.change(roomId, 'invite', alice, '@invited:localhost');
    await rooms.change(roomId, 'knock', '@knocking:localhost');
    await rooms.change(roomId, 'ban', alice, '@banned:localhost');
    const { affected } = await rooms.evacuate(roomId);
    expect(affected).toEqual([alice, '@invited:localhost', '@knocking:localhost']);
    expect(await rooms.memberships(roomId)).toMatchObject({
      '@invited:localhost': 'leave',
      '@knocking:localhost': 'leave',
      '@banned:localhost': 'ban',
    });
  });

  it('E5: block keeps local users from coming back', async () => {
    const roomId = await rooms.create();
    await rooms.evacuate(roomId, { block: true });
    await expect(rooms.change(roomId, 'join', alice)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(
      rooms.send(roomId, alice, 'm.room.member', { membership: 'join' }, { stateKey: alice }),
    ).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });

  it('a rehearsal says what would happen, and nothing happens', async () => {
    const roomId = await rooms.create();
    const users = await rooms.joinMany(roomId, 2);
    const before = await rooms.events(roomId);
    expect(await rooms.evacuate(roomId, { dryRun: true, block: true })).toMatchObject({
      affected: [alice, ...users],
      failed: [],
    });
    expect(await rooms.events(roomId)).toEqual(before);
    await expect(rooms.change(roomId, 'join', '@new:localhost')).resolves.toBeDefined();
  });

  it('a rehearsal counts the bytes of the leave events exactly', async () => {
    const roomId = await rooms.create();
    await rooms.joinMany(roomId, 5);
    const before = (await rooms.events(roomId)).length;
    const { bytes } = await rooms.evacuate(roomId, { dryRun: true });
    expect((await rooms.evacuate(roomId)).bytes).toBe(bytes);
    const leaves = (await rooms.events(roomId)).slice(before);
    expect(leaves.reduce((sum, { pdu }) => sum + Buffer.byteLength(canonicalJson(pdu)), 0)).toBe(bytes);
  });

  it('empties a room whose state is damaged', async () => {
    const roomId = await rooms.create();
    const users = await rooms.joinMany(roomId, 2);
    await sql`DELETE FROM roomserver_events WHERE type = 'm.room.create'`.execute(rooms.db);
    const elsewhere = rooms.process();
    const input = { roomId, requestedBy: admin, dryRun: false, block: false };
    const { affected, failed } = await evacuateRoom(elsewhere, input, once);
    expect({ affected, failed }).toEqual({ affected: [alice, ...users], failed: [] });
  });

  it('called twice, the second time finds nobody; an unknown room is M_NOT_FOUND', async () => {
    const roomId = await rooms.create();
    await rooms.evacuate(roomId);
    expect(await rooms.evacuate(roomId)).toMatchObject({ affected: [], failed: [] });
    await expect(rooms.evacuate('!unknown:localhost')).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
    await expect(rooms.evacuate('no room')).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
  });

  it('twice at once in two processes, everybody leaves once', async () => {
    const roomId = await rooms.create();
    const users = await rooms.joinMany(roomId, 600);
    const input = { roomId, requestedBy: admin, dryRun: false, block: false };
    const answers = await Promise.all(
      [rooms.process(), rooms.process()].map((deps) => evacuateRoom(deps, input, once)),
    );
    expect(answers.flatMap((one) => one.failed)).toEqual([]);
    expect(answers.flatMap((one) => one.affected).sort()).toEqual([alice, ...users].sort());
    expect((await rooms.room(roomId)).forward_extremities).toHaveLength(1);
  });

  it('answers for the whole when an earlier delivery had done a part', async () => {
    const roomId = await rooms.create();
    const users = await rooms.joinMany(roomId, 3);
    const first = await rooms.evacuate(roomId);
    const parts = () => Promise.resolve([{ affected: first.affected, failed: [] }]);
    const input = { roomId, requestedBy: admin, dryRun: false, block: false };
    const again = await evacuateRoom(rooms.deps, input, { ...once, parts });
    expect(again.affected).toEqual([alice, ...users]);
  });
});
