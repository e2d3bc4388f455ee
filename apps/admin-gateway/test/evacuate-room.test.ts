import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = (roomId: string): string => `/_dendrite/admin/evacuateRoom/${encodeURIComponent(roomId)}`;

describe('evacuateRoom', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  itRefusesOthers(
    () => stage,
    'POST',
    () => [path('!unknown:test.example'), path('no room')],
  );

  it('makes everybody leave, the administrator too, and finds nobody the second time', async () => {
    const roomId = await stage.room(stage.admin, [stage.user]);
    const [status, body] = await stage.ask('POST', path(roomId));
    expect([status, body]).toEqual([200, { affected: [stage.admin.userId, stage.user.userId] }]);
    expect(await stage.memberships(roomId)).toEqual({
      [stage.admin.userId]: 'leave',
      [stage.user.userId]: 'leave',
    });
    expect(await stage.ask('POST', path(roomId))).toEqual([200, { affected: [] }]);
  });

  it('is also a GET, and takes the room ID unescaped', async () => {
    const roomId = await stage.room(stage.user);
    const answer = await stage.ask('GET', `/_dendrite/admin/evacuateRoom/${roomId}`);
    expect(answer).toEqual([200, { affected: [stage.user.userId] }]);
  });

  it('ignores the body', async () => {
    const roomId = await stage.room(stage.user);
    expect(await stage.ask('POST', path(roomId), '{broken')).toEqual([
      200,
      { affected: [stage.user.userId] },
    ]);
  });

  it('E1, E3: names who could not leave, with the reason, and stops no other', async () => {
    const other = await stage.world.register('unlucky');
    const roomId = await stage.room(stage.user, [other]);
    await stage.damage(roomId, other.userId);
    expect(await stage.ask('POST', path(roomId))).toEqual([
      200,
      {
        affected: [stage.user.userId],
        failed: [{ user_id: other.userId, reason: expect.any(String) as string }],
      },
    ]);
  });

  it('E2: leaves one forward extremity, whoever leaves', async () => {
    const roomId = await stage.room(stage.user, [stage.admin]);
    await stage.ask('POST', path(roomId));
    const rooms = await stage.world.sql
      .withTables<{ roomserver_rooms: { room_id: string; forward_extremities: string[] } }>()
      .selectFrom('roomserver_rooms')
      .select('forward_extremities')
      .where('room_id', '=', roomId)
      .execute();
    expect(rooms[0]?.forward_extremities).toHaveLength(1);
  });

  it('E4: withdraws invites and knocks, and leaves bans as they are', async () => {
    const [invited, knocking, banned] = await Promise.all(
      ['invited', 'knocking', 'banned'].map((name) => stage.world.register(name)),
    );
    if (invited === undefined || knocking === undefined || banned === undefined) throw new Error();
    const roomId = await stage.room(stage.user);
    await stage.change(roomId, 'invite', stage.user, invited);
    await stage.change(roomId, 'knock', knocking);
    await stage.change(roomId, 'ban', stage.user, banned);
    const [, body] = await stage.ask('POST', path(roomId));
    expect(new Set(body['affected'] as string[])).toEqual(
      new Set([stage.user.userId, invited.userId, knocking.userId]),
    );
    expect(await stage.memberships(roomId)).toMatchObject({
      [invited.userId]: 'leave',
      [knocking.userId]: 'leave',
      [banned.userId]: 'ban',
    });
  });

  it('E5: with block=true nobody comes back', async () => {
    const roomId = await stage.room(stage.user);
    await stage.ask('POST', `${path(roomId)}?block=true`);
    await expect(stage.change(roomId, 'join', stage.user)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(stage.change(roomId, 'knock', stage.user)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
  });

  it('with dry_run=true says what would happen, and nothing happens', async () => {
    const roomId = await stage.room(stage.user);
    const answer = await stage.ask('POST', `${path(roomId)}?dry_run=true&block=true`);
    expect(answer).toMatchObject([
      200,
      { affected: [stage.user.userId], dry_run: true, counts: { users: 1 } },
    ]);
    expect(await stage.memberships(roomId)).toEqual({ [stage.user.userId]: 'join' });
    await stage.change(roomId, 'invite', stage.user, stage.admin);
  });

  it.each(['dry_run=yes', 'dry_run=', 'dry_run=true&dry_run=false', 'block=1'])(
    'refuses %s and does nothing',
    async (query) => {
      const roomId = await stage.room(stage.user);
      const answer = await stage.admin.request('POST', `${path(roomId)}?${query}`);
      expect(errorOf(answer)).toEqual([400, 'M_INVALID_PARAM']);
      expect(await stage.memberships(roomId)).toEqual({ [stage.user.userId]: 'join' });
    },
  );

  it('twice at once, everybody leaves once', async () => {
    const roomId = await stage.room(stage.user, [stage.admin]);
    const answers = await Promise.all([stage.ask('POST', path(roomId)), stage.ask('POST', path(roomId))]);
    expect(answers.map(([status]) => status)).toEqual([200, 200]);
    const affected = answers.flatMap(([, body]) => body['affected'] as string[]);
    expect(affected.sort()).toEqual([stage.admin.userId, stage.user.userId]);
    expect(await stage.leaves(roomId, stage.user.userId)).toBe(1);
  });

  it.each(['!unknown:test.example', 'abc', '@user:test.example', '!nul\0:test.example', '%'])(
    'answers 404 M_NOT_FOUND for %j',
    async (roomId) => {
      expect(errorOf(await stage.admin.request('POST', path(roomId)))).toEqual([404, 'M_NOT_FOUND']);
    },
  );
});
