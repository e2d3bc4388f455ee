import { sql } from 'kysely';

import { userapi } from '@seneschal/contracts';

import { connection, type Fixture, startFixture, tokenHash } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const account = (localpart: string) => ({ localpart, passwordHash: null, accountType: 1 as const });

describe('createAccount', () => {
  it('makes an account with profile, device and token', async () => {
    const userId = await fixture.register('alice');
    expect(userId).toBe('@alice:x.test');
    await expect(fixture.reads.requesterByToken(tokenHash('token-alice'))).resolves.toEqual({
      userId,
      deviceId: 'D1',
      accountType: 1,
    });
    await expect(fixture.reads.profile(userId)).resolves.toEqual({
      displayname: null,
      avatarUrl: null,
      fields: {},
    });
    await expect(fixture.reads.account(userId)).resolves.toMatchObject({
      localpart: 'alice',
      isDeactivated: false,
    });
  });

  it('refuses a name that is taken', async () => {
    await fixture.call(userapi.createAccount, account('taken'));
    await expect(fixture.call(userapi.createAccount, account('taken'))).rejects.toMatchObject({
      errcode: 'M_USER_IN_USE',
      status: 400,
    });
  });

  it('refuses a name that is not allowed', async () => {
    await expect(fixture.call(userapi.createAccount, account('Bob'))).rejects.toMatchObject({
      errcode: 'M_INVALID_USERNAME',
    });
  });

  it('answers the same to a second delivery', async () => {
    const input = { ...account('twice'), device: { tokenHash: tokenHash('twice'), connection } };
    const first = await fixture.call(userapi.createAccount, input, 'twice');
    expect(first.deviceId).toMatch(/^[A-Z]{10}$/);
    await expect(fixture.call(userapi.createAccount, input, 'twice')).resolves.toEqual(first);
  });

  it('answers the same to deliveries at once, and one of several callers gets the name', async () => {
    const same = await Promise.all(
      Array.from({ length: 8 }, () => fixture.call(userapi.createAccount, account('same'), 'same')),
    );
    expect(new Set(same.map((one) => one.userId))).toEqual(new Set(['@same:x.test']));
    const others = await Promise.allSettled(
      Array.from({ length: 8 }, () => fixture.call(userapi.createAccount, account('race'))),
    );
    expect(others.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('userapi_accounts', () => {
  it('makes an administrator with the statement of the README, at the next request', async () => {
    await fixture.register('carol');
    await sql`UPDATE userapi_accounts SET account_type = 3 WHERE localpart = 'carol'`.execute(fixture.db);
    const requester = await fixture.reads.requesterByToken(tokenHash('token-carol'));
    expect(requester?.accountType).toBe(3);
  });

  it('has the columns that operators know', async () => {
    const columns = await sql<{ name: string }>`SELECT column_name AS name FROM information_schema.columns
      WHERE table_name = 'userapi_accounts'`.execute(fixture.db);
    expect(columns.rows.map((row) => row.name)).toEqual(
      expect.arrayContaining([
        'localpart',
        'server_name',
        'created_ts',
        'password_hash',
        'appservice_id',
        'is_deactivated',
        'account_type',
      ]),
    );
  });
});

describe('verifyPassword and createDevice', () => {
  it('logs in with the right password only', async () => {
    const userId = await fixture.register('dave', 'the password');
    await expect(fixture.reads.verifyPassword(userId, 'wrong')).resolves.toBeUndefined();
    await expect(fixture.reads.verifyPassword('@nobody:x.test', 'wrong')).resolves.toBeUndefined();
    await expect(fixture.reads.verifyPassword(userId, 'the password')).resolves.toMatchObject({ userId });
  });

  it('replaces the token of a device that exists', async () => {
    const userId = await fixture.register('erin');
    const login = { userId, deviceId: 'D1', displayName: 'new', connection };
    await fixture.call(userapi.createDevice, { ...login, tokenHash: tokenHash('erin-2') });
    await expect(fixture.reads.requesterByToken(tokenHash('token-erin'))).resolves.toBeUndefined();
    await expect(fixture.reads.requesterByToken(tokenHash('erin-2'))).resolves.toMatchObject({ userId });
  });

  it('refuses a login whose password has changed meanwhile', async () => {
    const userId = await fixture.register('frank', 'old password');
    const verified = await fixture.reads.verifyPassword(userId, 'old password');
    await fixture.call(userapi.setPassword, { userId, passwordHash: 'x', logoutDevices: true });
    const login = { userId, tokenHash: tokenHash('late'), connection, ...verified };
    await expect(fixture.call(userapi.createDevice, login)).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(fixture.reads.devices(userId)).resolves.toEqual([]);
  });
});

describe('setProfile', () => {
  it('sets what is given and leaves the rest', async () => {
    const userId = await fixture.register('grace');
    await fixture.call(userapi.setProfile, { userId, displayname: 'Grace' });
    await fixture.call(userapi.setProfile, { userId, avatarUrl: 'mxc://x.test/a' });
    const expected = { displayname: 'Grace', avatarUrl: 'mxc://x.test/a' };
    await expect(fixture.reads.profile(userId)).resolves.toEqual({ ...expected, fields: {} });
    await expect(fixture.reads.profiles([userId, '@nobody:x.test'])).resolves.toEqual(
      new Map([[userId, expected]]),
    );
  });

  it('knows no profile of an unknown user', async () => {
    await expect(fixture.reads.profile('@nobody:x.test')).resolves.toBeUndefined();
    const input = { userId: '@nobody:x.test', displayname: 'x' };
    await expect(fixture.call(userapi.setProfile, input)).rejects.toMatchObject({ errcode: 'M_NOT_FOUND' });
  });
});
