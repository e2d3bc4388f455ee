import { sql } from 'kysely';

import { userapi } from '@seneschal/contracts';

import { errorOf, itRefusesOthers, Stage } from './stage.ts';

const dendrite = '/_dendrite/admin/registrationTokens';
const synapse = '/_synapse/admin/v1/registration_tokens';
const takesToken = { settings: { SENESCHAL_REGISTRATION_REQUIRES_TOKEN: 'on' } };

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(takesToken);
});
afterAll(() => stage.stop());

let number = 0;
async function newToken(fields: object = {}): Promise<string> {
  const token = `tk${(number += 1)}`;
  const [status] = await stage.ask('POST', `${dendrite}/new`, { token, ...fields });
  expect(status).toBe(200);
  return token;
}

const refusal = async (method: string, path: string, body?: object | string): Promise<[number, unknown]> =>
  errorOf(await stage.admin.request(method, path, body === undefined ? {} : { body }));

const unlimited = { uses_allowed: null, pending: 0, completed: 0, expiry_time: null };

describe('who may', () => {
  itRefusesOthers(
    () => stage,
    'POST',
    () => [`${dendrite}/new`, `${synapse}/new`],
  );
  itRefusesOthers(
    () => stage,
    'GET',
    () => [dendrite, synapse, `${dendrite}/none`, `${synapse}/none/users`],
  );
  itRefusesOthers(
    () => stage,
    'DELETE',
    () => [`${dendrite}/none`, `${synapse}/none`],
  );
});

describe.each([dendrite, synapse])('%s', (path) => {
  it('P4: makes tokens that cannot be guessed, 16 characters long unless asked otherwise', async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => stage.ask('POST', `${path}/new`, {})));
    for (const [status, body] of made) {
      expect([status, body]).toEqual([200, { token: expect.any(String) as string, ...unlimited }]);
      expect(body['token']).toMatch(/^[A-Za-z0-9._~-]{16}$/);
    }
    expect(new Set(made.map(([, body]) => body['token'])).size).toBe(10);
    const [, long] = await stage.ask('POST', `${path}/new`, { length: 64 });
    expect(long['token']).toMatch(/^.{64}$/);
  });

  it('makes, shows, changes and removes a token', async () => {
    const token = `made.~-${(number += 1)}`;
    const expiry = Date.now() + 3_600_000;
    const made = { token, uses_allowed: 3, pending: 0, completed: 0, expiry_time: expiry };
    const asked = { token, uses_allowed: 3, expiry_time: expiry };
    expect(await stage.ask('POST', `${path}/new`, asked)).toEqual([200, made]);
    expect(await stage.ask('GET', `${path}/${token}`)).toEqual([200, made]);
    const more = { ...made, uses_allowed: 9 };
    expect(await stage.ask('PUT', `${path}/${token}`, { uses_allowed: 9 })).toEqual([200, more]);
    expect(await stage.ask('PUT', `${path}/${token}`, {})).toEqual([200, more]);
    const endless = { ...made, ...unlimited };
    const nulls = { uses_allowed: null, expiry_time: null };
    expect(await stage.ask('PUT', `${path}/${token}`, nulls)).toEqual([200, endless]);
    expect(await stage.ask('DELETE', `${path}/${token}`)).toEqual([200, {}]);
    expect(await refusal('DELETE', `${path}/${token}`)).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusal('GET', `${path}/${token}`)).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusal('PUT', `${path}/${token}`, {})).toEqual([404, 'M_NOT_FOUND']);
  });

  it('lists all of them, the valid ones or the others', async () => {
    const token = await newToken();
    const used = await newToken({ uses_allowed: 0 });
    const listed = async (query: string): Promise<unknown[]> => {
      const [status, body] = await stage.ask('GET', `${path}${query}`);
      expect(status).toBe(200);
      return (body['registration_tokens'] as { token: string }[]).map((one) => one.token);
    };
    expect(await listed('')).toEqual(expect.arrayContaining([token, used]));
    expect(await listed('?valid=true')).toContain(token);
    expect(await listed('?valid=true')).not.toContain(used);
    expect(await listed('?valid=false')).toContain(used);
    expect(await listed('?valid=false')).not.toContain(token);
  });

  it('P3: says who came by a token', async () => {
    const token = await newToken();
    const { bus } = stage.world.homeserver.platform;
    const localpart = `guest${number}`;
    await bus.call(userapi.holdRegistrationUse, {
      token,
      session: localpart,
      expiresTs: Date.now() + 60_000,
    });
    expect((await stage.ask('GET', `${path}/${token}`))[1]).toMatchObject({ pending: 1, completed: 0 });
    await bus.call(userapi.createAccount, {
      localpart,
      passwordHash: null,
      accountType: 1,
      registrationSession: localpart,
    });
    expect((await stage.ask('GET', `${path}/${token}`))[1]).toMatchObject({ pending: 0, completed: 1 });
    expect(await stage.ask('GET', `${path}/${token}/users`)).toEqual([
      200,
      {
        users: [{ user_id: `@${localpart}:test.example`, registered_ts: expect.any(Number) as number }],
        total: 1,
      },
    ]);
    expect((await stage.ask('GET', `${path}/${token}/users?limit=0`))[1]).toMatchObject({
      users: [],
      total: 1,
    });
    expect(await refusal('GET', `${path}/unknown/users`)).toEqual([404, 'M_NOT_FOUND']);
    expect(await refusal('GET', `${path}/${token}/users?from=x`)).toEqual([400, 'M_INVALID_PARAM']);
  });

  it.each(['a b', 'a/b', 'a@', '%', 'a\n', 'ä', 'x'.repeat(65)])(
    'P7: takes no token that its own URL could not name, such as %j',
    async (token) => {
      const [status, errcode] = await refusal('POST', `${path}/new`, { token });
      expect([status, errcode]).toEqual([400, path === dendrite ? 'M_BAD_JSON' : 'M_INVALID_PARAM']);
      expect(await refusal('GET', `${path}/${encodeURIComponent(token)}`)).toEqual([404, 'M_NOT_FOUND']);
    },
  );

  it.each([
    ['a length of 65', { length: 65 }],
    ['a negative length', { length: -1 }],
    ['negative uses', { uses_allowed: -1 }],
    ['uses above 2^31 - 1', { uses_allowed: 2 ** 31 }],
    ['an expiry in the past', { expiry_time: 5 }],
  ])('refuses %s', async (_, body) => {
    const wanted = [400, path === dendrite ? 'M_BAD_JSON' : 'M_INVALID_PARAM'];
    expect(await refusal('POST', `${path}/new`, body)).toEqual(wanted);
    if ('length' in body) return;
    const token = await newToken({ uses_allowed: 4 });
    expect(await refusal('PUT', `${path}/${token}`, body)).toEqual(wanted);
    expect((await stage.ask('GET', `${path}/${token}`))[1]).toMatchObject({
      uses_allowed: 4,
      expiry_time: null,
    });
  });

  it.each([
    ['text for uses', { uses_allowed: 'x' }, 'M_BAD_JSON'],
    ['half a use', { uses_allowed: 1.5 }, 'M_BAD_JSON'],
    ['a list', [], 'M_BAD_JSON'],
    ['broken JSON', '{x', path === dendrite ? 'M_BAD_JSON' : 'M_NOT_JSON'],
    ['nothing', '', path === dendrite ? 'M_BAD_JSON' : 'M_NOT_JSON'],
  ])('refuses %s in the body', async (_, body, errcode) => {
    expect(await refusal('POST', `${path}/new`, body)).toEqual([400, errcode]);
    expect(await refusal('PUT', `${path}/${await newToken()}`, body)).toEqual([400, errcode]);
  });

  it('P8: tells a token that exists from a database that fails', async () => {
    const own = await Stage.open(takesToken);
    try {
      const create = (): Promise<[number, unknown]> =>
        own
          .ask('POST', `${path}/new`, { token: 'taken' })
          .then(([status, body]) => [status, body['errcode']]);
      expect(await create()).toEqual([200, undefined]);
      expect(await create()).toEqual([path === dendrite ? 409 : 400, 'M_INVALID_PARAM']);
      await sql`ALTER TABLE userapi_registration_tokens RENAME TO gone`.execute(own.world.sql);
      const answer = await own.admin.request('POST', `${path}/new`, { body: { token: 'other' } });
      expect(errorOf(answer)).toEqual([500, 'M_UNKNOWN']);
      expect(answer.text).not.toMatch(/registration_tokens|relation|SELECT|INSERT/i);
      expect(errorOf(await own.admin.request('GET', path))).toEqual([500, 'M_UNKNOWN']);
    } finally {
      await own.stop();
    }
  });

  it('makes one token of a name, however many ask at once', async () => {
    const body = { token: `race${(number += 1)}` };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => stage.ask('POST', `${path}/new`, body)),
    );
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1);
  });
});

describe('as Dendrite does', () => {
  it('reads valid as Go does, and nothing else', async () => {
    for (const valid of ['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False']) {
      expect((await stage.ask('GET', `${dendrite}?valid=${valid}`))[0]).toBe(200);
    }
    for (const valid of ['', 'bogus', 'yes', '2']) {
      expect(await refusal('GET', `${dendrite}?valid=${valid}`)).toEqual([400, 'M_BAD_JSON']);
    }
  });

  it('takes null, capitals in keys and an empty token for a new one, and ignores the length beside a token', async () => {
    expect((await stage.ask('POST', `${dendrite}/new`, 'null'))[0]).toBe(200);
    const [, drawn] = await stage.ask('POST', `${dendrite}/new`, { Token: '', LENGTH: 4 });
    expect(drawn['token']).toMatch(/^.{4}$/);
    const token = `lt${(number += 1)}`;
    expect((await stage.ask('POST', `${dendrite}/new`, { token, length: 99 }))[1]).toMatchObject({ token });
  });

  it('refuses text under any key of a change', async () => {
    const token = await newToken();
    expect(await refusal('PUT', `${dendrite}/${token}`, { other: 'x' })).toEqual([400, 'M_BAD_JSON']);
    expect(await stage.ask('PUT', `${dendrite}/${token}`, 'null')).toEqual([200, { token, ...unlimited }]);
  });

  it('makes tokens only where registration takes one; the rest works everywhere', async () => {
    const open = await Stage.open();
    try {
      const answer = await open.admin.request('POST', `${dendrite}/new`, { body: '{broken' });
      expect(errorOf(answer)).toEqual([403, 'M_FORBIDDEN']);
      expect(await open.ask('GET', dendrite)).toEqual([200, { registration_tokens: [] }]);
      expect((await open.ask('POST', `${synapse}/new`, { token: 'x' }))[0]).toBe(200);
      expect((await open.ask('PUT', `${dendrite}/x`, { uses_allowed: 1 }))[0]).toBe(200);
    } finally {
      await open.stop();
    }
  });
});

describe('as Synapse does', () => {
  it('takes the whole token back, also when it has expired', async () => {
    const token = await newToken({ uses_allowed: 1 });
    await sql`UPDATE userapi_registration_tokens SET expiry_ts = 5 WHERE token = ${token}`.execute(
      stage.world.sql,
    );
    const [, whole] = await stage.ask('GET', `${synapse}/${token}`);
    const changed = { ...whole, id: token, uses_allowed: 2 };
    expect(await stage.ask('PUT', `${synapse}/${token}`, changed)).toEqual([
      200,
      { ...whole, uses_allowed: 2 },
    ]);
  });

  it('lists page by page when asked to', async () => {
    const tokens = [await newToken(), await newToken(), await newToken()].sort();
    const [, first] = await stage.ask('GET', `${synapse}?limit=1&from=${tokens[0] ?? ''}`);
    expect(first['registration_tokens']).toHaveLength(1);
    expect(first['next_token']).toEqual(expect.any(String));
    for (const query of ['valid=1', 'limit=x', 'from=a b']) {
      expect(await refusal('GET', `${synapse}?${query}`)).toEqual([400, 'M_INVALID_PARAM']);
    }
  });

  it('refuses an empty token and a length of 0', async () => {
    expect(await refusal('POST', `${synapse}/new`, { token: '' })).toEqual([400, 'M_INVALID_PARAM']);
    expect(await refusal('POST', `${synapse}/new`, { length: 0 })).toEqual([400, 'M_INVALID_PARAM']);
  });
});
