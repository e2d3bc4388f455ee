import { evacuateUser } from '../src/commands/evacuate-user.ts';
import { admin, alice, once, Rooms } from './rooms.ts';

const bob = '@bob:localhost';

let rooms: Rooms;
beforeEach(async () => {
  rooms = await Rooms.open();
});
afterEach(() => rooms.stop());

const knock = { type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'knock' } };

async function roomsOfBob(): Promise<string[]> {
  const joined = await rooms.create();
  await rooms.change(joined, 'join', bob);
  const invited = await rooms.create();
  await rooms.change(invited, 'invite', alice, bob);
  const knocked = await rooms.create({ initialState: [knock] });
  await rooms.change(knocked, 'knock', bob);
  return [joined, invited, knocked];
}

describe('evacuateUser', () => {
  it('leaves joined rooms first, then turns down invites and knocks', async () => {
    const all = await roomsOfBob();
    expect(await rooms.evacuateUser(bob)).toMatchObject({ affected: all, failed: [] });
    for (const roomId of all) expect(await rooms.memberships(roomId)).toMatchObject({ [bob]: 'leave' });
  });

  it('E6: one bad room is named with the reason and stops no other', async () => {
    const [joined = '', bad = '', knocked = ''] = await roomsOfBob();
    await rooms.damage(bad, bob, () => '{');
    expect(await rooms.evacuateUser(bob)).toMatchObject({
      affected: [joined, knocked],
      failed: [{ roomId: bad, reason: expect.stringContaining('cannot be read') as string }],
    });
  });

  it('E6: a room of a version that nobody knows is named too', async () => {
    const [bad = '', ...others] = await roomsOfBob();
    await rooms.db
      .updateTable('roomserver_rooms')
      .set({ room_version: '999' })
      .where('room_id', '=', bad)
      .execute();
    const { affected, failed } = await rooms.evacuateUser(bob);
    expect(affected).toEqual(others);
    expect(failed.map((one) => one.roomId)).toEqual([bad]);
  });

  it('a rehearsal changes nothing', async () => {
    const all = await roomsOfBob();
    expect(await rooms.evacuateUser(bob, true)).toMatchObject({ affected: all, failed: [] });
    expect(await rooms.memberships(all[0] ?? '')).toMatchObject({ [bob]: 'join' });
  });

  it('changes nobody else, and a second time nothing', async () => {
    const [joined = ''] = await roomsOfBob();
    await rooms.change(joined, 'join', '@carol:localhost');
    await rooms.evacuateUser(bob);
    expect(await rooms.evacuateUser(bob)).toMatchObject({ affected: [], failed: [] });
    expect(await rooms.memberships(joined)).toMatchObject({ '@carol:localhost': 'join', [alice]: 'join' });
  });

  it('does nothing for one who is nowhere', async () => {
    expect(await rooms.evacuateUser('@nobody:localhost')).toMatchObject({ affected: [], failed: [] });
  });

  it('answers for the whole when an earlier delivery had done a part', async () => {
    const [joined = '', ...others] = await roomsOfBob();
    await rooms.change(joined, 'leave', bob);
    const parts = () => Promise.resolve([{ affected: [joined], failed: [] }]);
    const input = { userId: bob, requestedBy: admin, dryRun: false };
    const { affected } = await evacuateUser(rooms.deps, input, { ...once, parts });
    expect(affected).toEqual([joined, ...others]);
  });
});
