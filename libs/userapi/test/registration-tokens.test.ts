import { sql } from 'kysely';

import { userapi } from '@seneschal/contracts';

import { type Fixture, startFixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const later = (): number => Date.now() + 900_000;

let number = 0;
/** Makes a token for so many uses. */
async function newToken(usesAllowed: number | null = null): Promise<string> {
  const token = `token${(number += 1)}`;
  const input = { token, length: 16, usesAllowed, expiryTime: null, createdBy: '@admin:x.test' };
  await fixture.call(userapi.createRegistrationToken, input);
  return token;
}

async function hold(token: string, session: string, expiresTs = later()): Promise<boolean> {
  return (await fixture.call(userapi.holdRegistrationUse, { token, session, expiresTs })).held;
}

const register = (localpart: string, session: string, idempotencyKey?: string) => {
  const account = { localpart, passwordHash: null, accountType: 1 as const };
  return fixture.call(userapi.createAccount, { ...account, registrationSession: session }, idempotencyKey);
};

async function counts(token: string): Promise<[pending: number, completed: number]> {
  const found = await fixture.reads.registrationToken(token);
  return [found?.pending ?? -1, found?.completed ?? -1];
}

describe('createRegistrationToken', () => {
  const wanted = { length: 16, usesAllowed: null, expiryTime: null, createdBy: '@admin:x.test' };

  it('P4: makes up tokens of the length asked for that cannot be guessed', async () => {
    const made = await Promise.all(
      Array.from({ length: 30 }, () =>
        fixture.call(userapi.createRegistrationToken, { ...wanted, length: 24 }),
      ),
    );
    expect(new Set(made.map((one) => one.token)).size).toBe(30);
    for (const { token } of made) expect(token).toMatch(/^[A-Za-z0-9._~-]{24}$/);
    // Of 720 random characters out of 66, hardly any is missing; a counter or a clock would show few.
    expect(new Set(made.flatMap(({ token }) => Array.from(token))).size).toBeGreaterThan(50);
  });

  it('refuses a token that exists, and answers the same to a second delivery', async () => {
    const input = { ...wanted, token: 'once' };
    const first = await fixture.call(userapi.createRegistrationToken, input, 'once');
    await expect(fixture.call(userapi.createRegistrationToken, input, 'once')).resolves.toEqual(first);
    await expect(fixture.call(userapi.createRegistrationToken, input)).rejects.toMatchObject({
      status: 409,
      errcode: 'M_INVALID_PARAM',
    });
  });

  it('says so when all tokens of a length are taken', async () => {
    const characters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-');
    for (const token of characters) await fixture.call(userapi.createRegistrationToken, { ...wanted, token });
    await expect(
      fixture.call(userapi.createRegistrationToken, { ...wanted, length: 1 }),
    ).rejects.toMatchObject({ status: 409 });
  });
});

describe('updateRegistrationToken and deleteRegistrationToken', () => {
  it('changes what is given, and takes back an expiry in the past as it was', async () => {
    const token = await newToken(2);
    const expiryTime = Date.now() + 60_000;
    await expect(fixture.call(userapi.updateRegistrationToken, { token, expiryTime })).resolves.toMatchObject(
      { usesAllowed: 2, expiryTime },
    );
    await sql`UPDATE userapi_registration_tokens SET expiry_ts = 5 WHERE token = ${token}`.execute(
      fixture.db,
    );
    const change = { token, usesAllowed: null, expiryTime: 5 };
    await expect(fixture.call(userapi.updateRegistrationToken, change)).resolves.toMatchObject({
      usesAllowed: null,
      expiryTime: 5,
    });
    await expect(
      fixture.call(userapi.updateRegistrationToken, { token, expiryTime: 6 }),
    ).rejects.toMatchObject({ errcode: 'M_INVALID_PARAM' });
  });

  it('knows no token that is not there', async () => {
    const refused = { status: 404, errcode: 'M_NOT_FOUND' };
    const token = await newToken();
    await fixture.call(userapi.deleteRegistrationToken, { token });
    await expect(fixture.call(userapi.deleteRegistrationToken, { token })).rejects.toMatchObject(refused);
    await expect(fixture.call(userapi.updateRegistrationToken, { token })).rejects.toMatchObject(refused);
  });

  it('lets nobody in by a deleted token, also who is half-way, and begins anew with one of its name', async () => {
    const token = await newToken();
    await hold(token, 'early');
    await register('early', 'early');
    await hold(token, 'half-way');
    await fixture.call(userapi.deleteRegistrationToken, { token });
    await expect(register('half-way', 'half-way')).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(fixture.reads.account('@half-way:x.test')).resolves.toBeUndefined();
    const again = { token, length: 16, usesAllowed: null, expiryTime: null, createdBy: '@admin:x.test' };
    await fixture.call(userapi.createRegistrationToken, again);
    await expect(fixture.reads.usersOfRegistrationToken(token, { limit: 10 })).resolves.toEqual({
      users: [],
      total: 0,
    });
  });
});

describe('holdRegistrationUse', () => {
  it('P3: holds no more uses than the token allows, however many ask at once', async () => {
    const token = await newToken(3);
    const held = await Promise.all(Array.from({ length: 20 }, (_, index) => hold(token, `many${index}`)));
    expect(held.filter(Boolean)).toHaveLength(3);
    await expect(counts(token)).resolves.toEqual([3, 0]);
  });

  it('holds one use for a session that asks again', async () => {
    const token = await newToken(1);
    await expect(Promise.all([1, 2, 3].map(() => hold(token, 'same')))).resolves.toEqual([true, true, true]);
    await expect(counts(token)).resolves.toEqual([1, 0]);
  });

  it('P3: gives uses back when their time is up, and no account comes of them', async () => {
    const token = await newToken(1);
    await hold(token, 'late', Date.now() - 1);
    await expect(counts(token)).resolves.toEqual([0, 0]);
    await expect(fixture.reads.isRegistrationTokenValid(token)).resolves.toBe(true);
    await expect(hold(token, 'next')).resolves.toBe(true);
    await expect(register('late', 'late')).rejects.toMatchObject({ errcode: 'M_FORBIDDEN' });
    await expect(register('next', 'next')).resolves.toMatchObject({ userId: '@next:x.test' });
    await expect(counts(token)).resolves.toEqual([0, 1]);
  });

  it('gives back a use that is released', async () => {
    const token = await newToken(1);
    await hold(token, 'released');
    await fixture.call(userapi.releaseRegistrationUse, { session: 'released' });
    await fixture.call(userapi.releaseRegistrationUse, { session: 'released' });
    await expect(hold(token, 'other')).resolves.toBe(true);
  });

  it('moves to another token when the session names one', async () => {
    const [first, second] = [await newToken(1), await newToken(1)];
    await hold(first, 'mover');
    await expect(hold(second, 'mover')).resolves.toBe(true);
    await expect(counts(first)).resolves.toEqual([0, 0]);
    await expect(counts(second)).resolves.toEqual([1, 0]);
  });

  it('holds nothing of a token that is unknown, expired or used up', async () => {
    const expired = await newToken();
    await sql`UPDATE userapi_registration_tokens SET expiry_ts = 5 WHERE token = ${expired}`.execute(
      fixture.db,
    );
    const used = await newToken(0);
    for (const token of [expired, used, 'unknown']) {
      await expect(hold(token, `of ${token}`)).resolves.toBe(false);
      await expect(fixture.reads.isRegistrationTokenValid(token)).resolves.toBe(false);
    }
  });
});

describe('createAccount with a token', () => {
  it('P3: counts a registration once, also when it is delivered twice', async () => {
    const token = await newToken(5);
    await hold(token, 'twice');
    await Promise.all([1, 2, 3].map(() => register('twice', 'twice', 'twice')));
    await expect(counts(token)).resolves.toEqual([0, 1]);
  });

  it('keeps the use when the name is taken', async () => {
    const token = await newToken(1);
    await fixture.register('taken');
    await hold(token, 'unlucky');
    await expect(register('taken', 'unlucky')).rejects.toMatchObject({ errcode: 'M_USER_IN_USE' });
    await expect(counts(token)).resolves.toEqual([1, 0]);
  });

  it('says who came by a token, page by page', async () => {
    const token = await newToken();
    const names = ['anna', 'berta', 'clara'];
    for (const name of names) {
      await hold(token, name);
      await register(name, name);
    }
    const first = await fixture.reads.usersOfRegistrationToken(token, { limit: 2 });
    expect(first?.users.map((one) => one.userId)).toEqual(['@anna:x.test', '@berta:x.test']);
    expect(first?.total).toBe(3);
    const second = await fixture.reads.usersOfRegistrationToken(token, { limit: 2, from: first?.next ?? '' });
    expect(second?.users.map((one) => one.userId)).toEqual(['@clara:x.test']);
    expect(second?.next).toBeUndefined();
    await expect(fixture.reads.usersOfRegistrationToken('unknown', { limit: 2 })).resolves.toBeUndefined();
  });
});

describe('registrationTokens', () => {
  it('lists all, the valid ones or the others, in pages', async () => {
    const own = await startFixture();
    const insert = (token: string, usesAllowed: number | null) =>
      own.call(userapi.createRegistrationToken, {
        token,
        length: 16,
        usesAllowed,
        expiryTime: null,
        createdBy: '@admin:x.test',
      });
    try {
      await insert('b', 0);
      await insert('a', null);
      await insert('B', 1);
      await sql`UPDATE userapi_registration_tokens SET expiry_ts = 5 WHERE token = 'B'`.execute(own.db);
      const names = async (page: object): Promise<string[]> =>
        (await own.reads.registrationTokens(page)).tokens.map((one) => one.token);
      await expect(names({})).resolves.toEqual(['B', 'a', 'b']);
      await expect(names({ valid: true })).resolves.toEqual(['a']);
      await expect(names({ valid: false })).resolves.toEqual(['B', 'b']);
      await expect(own.reads.registrationTokens({ limit: 2 })).resolves.toMatchObject({ next: 'a' });
      await expect(names({ limit: 2, from: 'a' })).resolves.toEqual(['b']);
    } finally {
      await own.stop();
    }
  });
});
