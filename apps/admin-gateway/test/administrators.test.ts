import { sql } from 'kysely';

import { userapi } from '@seneschal/contracts';
import type { TestClient } from '@seneschal/testing';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const path = (userId: string): string => `/_synapse/admin/v1/users/${encodeURIComponent(userId)}/admin`;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.stop());

let number = 0;
const newUser = (admin = false): Promise<TestClient> =>
  stage.world.register(`candidate${(number += 1)}`, { admin });

async function mayAdminister(user: TestClient): Promise<boolean> {
  return (await user.request('GET', path(user.userId))).status === 200;
}

async function administratorsOf({ world }: Stage): Promise<string[]> {
  const rows = await sql<{ user_id: string }>`SELECT user_id FROM userapi_accounts
    WHERE account_type = 3 AND NOT is_deactivated`.execute(world.sql);
  return rows.rows.map((row) => row.user_id);
}

describe('GET, PUT /_synapse/admin/v1/users/{userId}/admin', () => {
  for (const method of ['GET', 'PUT']) {
    itRefusesOthers(
      () => stage,
      method,
      () => [path(stage.user.userId), path('@nobody:test.example'), path('abc')],
    );
  }

  it('M3: promotes and demotes, from the next request on', async () => {
    const user = await newUser();
    expect(await stage.ask('GET', path(user.userId))).toEqual([200, { admin: false }]);
    expect(await mayAdminister(user)).toBe(false);
    for (const _ of [1, 2]) {
      expect(await stage.ask('PUT', path(user.userId), { admin: true })).toEqual([200, {}]);
    }
    expect(await stage.ask('GET', path(user.userId))).toEqual([200, { admin: true }]);
    expect(await mayAdminister(user)).toBe(true);
    for (const _ of [1, 2]) {
      expect(await stage.ask('PUT', path(user.userId), { admin: false })).toEqual([200, {}]);
    }
    expect(await mayAdminister(user)).toBe(false);
  });

  it('M3: demotes neither oneself nor the last administrator', async () => {
    const self = await stage.admin.request('PUT', path(stage.admin.userId), { body: { admin: false } });
    expect(errorOf(self)).toEqual([400, 'M_UNKNOWN']);
    const { bus } = stage.world.homeserver.platform;
    await expect(
      bus.call(userapi.setAdministrator, { userId: stage.admin.userId, isAdmin: false }),
    ).rejects.toMatchObject({ status: 403, errcode: 'M_FORBIDDEN' });
    expect(await mayAdminister(stage.admin)).toBe(true);
  });

  it('M3: counts no deactivated administrator', async () => {
    const gone = await newUser(true);
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE user_id = ${gone.userId}`.execute(
      stage.world.sql,
    );
    const { bus } = stage.world.homeserver.platform;
    await expect(
      bus.call(userapi.setAdministrator, { userId: stage.admin.userId, isAdmin: false }),
    ).rejects.toMatchObject({ status: 403 });
    expect(await stage.ask('GET', path(gone.userId))).toEqual([200, { admin: false }]);
  });

  it('M3: of administrators who demote each other at once one stays', async () => {
    const own = await Stage.open();
    try {
      const rivals = await Promise.all(
        Array.from({ length: 5 }, (_, index) => own.world.register(`rival${index}`, { admin: true })),
      );
      const everybody = [own.admin, ...rivals];
      const { bus } = own.world.homeserver.platform;
      const outcomes = await Promise.allSettled(
        everybody.map(({ userId }) => bus.call(userapi.setAdministrator, { userId, isAdmin: false })),
      );
      expect(outcomes.filter((one) => one.status === 'rejected')).toHaveLength(1);
      const left = await sql`SELECT FROM userapi_accounts WHERE account_type = 3`.execute(own.world.sql);
      expect(left.rows).toHaveLength(1);
    } finally {
      await own.stop();
    }
  });

  it('M3: the last administrator does not deactivate himself either', async () => {
    const own = await Stage.open();
    try {
      const last = await own.world.register('last', { admin: true, password: 'a good password' });
      const { bus } = own.world.homeserver.platform;
      await bus.call(userapi.setAdministrator, { userId: own.admin.userId, isAdmin: false });
      const identifier = { type: 'm.id.user', user: last.userId };
      const auth = { type: 'm.login.password', identifier, password: 'a good password' };
      const deactivate = '/_matrix/client/v3/account/deactivate';
      const refused = await last.request('POST', deactivate, { body: { auth } });
      expect(errorOf(refused)).toEqual([403, 'M_FORBIDDEN']);
      expect(refused.body['error']).toContain('last administrator');
      expect(await mayAdminister(last)).toBe(true);
      await bus.call(userapi.setAdministrator, { userId: own.admin.userId, isAdmin: true });
      expect((await last.request('POST', deactivate, { body: { auth } })).status).toBe(200);
    } finally {
      await own.stop();
    }
  });

  it('M3: one stays, however many are demoted and deactivated at once', async () => {
    const own = await Stage.open();
    try {
      for (let round = 0; round < 5; round += 1) {
        const rivals = await Promise.all(
          Array.from({ length: 6 }, (_, index) =>
            own.world.register(`rival${round}-${index}`, { admin: true }),
          ),
        );
        const { bus } = own.world.homeserver.platform;
        const before = await administratorsOf(own);
        const outcomes = await Promise.allSettled(
          before.map((userId, index) =>
            index % 2 === 0
              ? bus.call(userapi.deactivateAccount, { userId })
              : bus.call(userapi.setAdministrator, { userId, isAdmin: false }),
          ),
        );
        expect(before.length).toBeGreaterThanOrEqual(rivals.length);
        expect(outcomes.filter((one) => one.status === 'rejected')).toHaveLength(1);
        expect(await administratorsOf(own)).toHaveLength(1);
      }
    } finally {
      await own.stop();
    }
  });

  it.each([
    ['a remote user', '@a:elsewhere.example', 400, 'M_INVALID_PARAM'],
    ['no user ID', 'abc', 400, 'M_INVALID_PARAM'],
    ['nobody', '@nobody:test.example', 404, 'M_NOT_FOUND'],
  ])('refuses %s', async (_, userId, status, errcode) => {
    const put = await stage.admin.request('PUT', path(userId), { body: { admin: true } });
    expect(errorOf(put)).toEqual([status, errcode]);
    expect(errorOf(await stage.admin.request('GET', path(userId)))).toEqual([status, errcode]);
  });

  it('refuses an account of an application service, and a deactivated one', async () => {
    const service = await newUser();
    await sql`UPDATE userapi_accounts SET account_type = 4 WHERE user_id = ${service.userId}`.execute(
      stage.world.sql,
    );
    const promote = (user: TestClient) =>
      stage.admin.request('PUT', path(user.userId), { body: { admin: true } });
    expect(errorOf(await promote(service))).toEqual([400, 'M_INVALID_PARAM']);
    const gone = await newUser();
    await sql`UPDATE userapi_accounts SET is_deactivated = true WHERE user_id = ${gone.userId}`.execute(
      stage.world.sql,
    );
    expect(errorOf(await promote(gone))).toEqual([404, 'M_NOT_FOUND']);
  });

  it.each([
    ['no admin', {}, 'M_MISSING_PARAM'],
    ['a text', { admin: 'false' }, 'M_BAD_JSON'],
    ['null', { admin: null }, 'M_BAD_JSON'],
    ['no JSON', '{', 'M_NOT_JSON'],
  ])('refuses %s in the body', async (_, body, errcode) => {
    const user = await newUser();
    const answer = await stage.admin.request('PUT', path(user.userId), { body });
    expect(errorOf(answer)).toEqual([400, errcode]);
    expect(await stage.ask('GET', path(user.userId))).toEqual([200, { admin: false }]);
  });
});
