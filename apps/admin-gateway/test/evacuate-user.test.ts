import type { TestClient } from '@seneschal/testing';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = (userId: string): string => `/_dendrite/admin/evacuateUser/${encodeURIComponent(userId)}`;

describe('evacuateUser', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterAll(() => stage.stop());

  let number = 0;
  const traveller = (): Promise<TestClient> => stage.world.register(`traveller${(number += 1)}`);

  itRefusesOthers(
    () => stage,
    'POST',
    () => [path(stage.user.userId), path('@nobody:test.example'), path('abc')],
  );

  it('makes the user leave joined rooms and turn down invites and knocks, and nobody else', async () => {
    const user = await traveller();
    const joined = await stage.room(stage.user, [user]);
    const invited = await stage.room(stage.user);
    await stage.change(invited, 'invite', stage.user, user);
    const knocked = await stage.room(stage.user);
    await stage.change(knocked, 'knock', user);
    const [status, body] = await stage.ask('POST', path(user.userId));
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['affected']);
    expect(new Set(body['affected'] as string[])).toEqual(new Set([joined, invited, knocked]));
    for (const roomId of [joined, invited, knocked]) {
      expect(await stage.memberships(roomId)).toEqual({
        [stage.user.userId]: 'join',
        [user.userId]: 'leave',
      });
    }
    expect(await stage.ask('GET', path(user.userId))).toEqual([200, { affected: [] }]);
  });

  it('E6: names the room that cannot be left, and leaves the others', async () => {
    const user = await traveller();
    const poisoned = await stage.room(stage.user, [user]);
    const others = [await stage.room(stage.user, [user]), await stage.room(stage.user, [user])];
    await stage.damage(poisoned, user.userId);
    const [status, body] = await stage.ask('POST', path(user.userId));
    expect(status).toBe(200);
    expect(new Set(body['affected'] as string[])).toEqual(new Set(others));
    expect(body['failed']).toEqual([{ room_id: poisoned, reason: expect.any(String) as string }]);
    const [, again] = await stage.ask('POST', path(user.userId));
    expect(again).toMatchObject({ affected: [], failed: [{ room_id: poisoned }] });
  });

  it('with dry_run=true says what would happen, and nothing happens', async () => {
    const user = await traveller();
    const roomId = await stage.room(user);
    expect(await stage.ask('POST', `${path(user.userId)}?dry_run=true`)).toMatchObject([
      200,
      { affected: [roomId], dry_run: true, counts: { events: 1, users: 1 } },
    ]);
    expect(await stage.memberships(roomId)).toEqual({ [user.userId]: 'join' });
    const answer = await stage.admin.request('POST', `${path(user.userId)}?dry_run=on`);
    expect(errorOf(answer)).toEqual([400, 'M_INVALID_PARAM']);
  });

  it('twice at once, the user leaves once', async () => {
    const user = await traveller();
    const rooms = [await stage.room(user), await stage.room(user)];
    const answers = await Promise.all([1, 2].map(() => stage.ask('POST', path(user.userId))));
    expect(answers.map(([status, body]) => [status, body['failed']])).toEqual([
      [200, undefined],
      [200, undefined],
    ]);
    for (const roomId of rooms) expect(await stage.leaves(roomId, user.userId)).toBe(1);
  });

  it('answers an unknown local user with an empty list', async () => {
    expect(await stage.ask('POST', path('@nobody:test.example'))).toEqual([200, { affected: [] }]);
  });

  it.each([
    '@remote:elsewhere.example',
    'abc',
    '!r:test.example',
    '@x',
    '@',
    '@a b:test.example',
    '@a:bad domain',
    '@nul\0:test.example',
  ])('answers 400 M_INVALID_PARAM for %j', async (userId) => {
    expect(errorOf(await stage.admin.request('POST', path(userId)))).toEqual([400, 'M_INVALID_PARAM']);
  });
});
