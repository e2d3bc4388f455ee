import { randomBytes } from 'node:crypto';

import { startWorld, type TestClient, type World } from '@seneschal/testing';

import { sync } from './syncing.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const path = (rest: string): string => `/pushrules/global/${rest}`;
const full = (rest: string): string => `/_matrix/client/v3${path(rest)}`;

async function idsOf(client: TestClient, kind: string): Promise<string[]> {
  const rules = (await client.call('GET', '/pushrules/global/')) as Record<string, { rule_id: string }[]>;
  return rules[kind]!.map((rule) => rule.rule_id);
}

describe('push rules', () => {
  it('are made, placed, replaced and deleted, before those of the server', async () => {
    const user = await world.register('alice');
    const put = (id: string, query = '') => user.call('PUT', path(`override/${id}${query}`), { actions: [] });
    await put('one');
    await put('two');
    await put('three', '?after=two');
    await put('four', '?before=one');
    expect((await idsOf(user, 'override')).slice(0, 6)).toEqual([
      '.m.rule.master',
      'two',
      'three',
      'four',
      'one',
      '.m.rule.suppress_notices',
    ]);
    await put('three');
    expect((await idsOf(user, 'override'))[2]).toBe('three');
    await user.call('DELETE', path('override/two'));
    expect((await idsOf(user, 'override'))[1]).toBe('three');
    expect(await user.request('DELETE', full('override/two'))).toMatchObject({ status: 404 });
    expect(await user.request('PUT', full('override/x?after=none'), { body: { actions: [] } })).toMatchObject(
      {
        status: 400,
        body: { errcode: 'M_UNKNOWN' },
      },
    );
  });

  it('are turned off and changed, those of the server too, and come with the next sync', async () => {
    const user = await world.register('bob');
    const { next_batch: since } = await sync(user);
    await user.call('PUT', path('underride/.m.rule.message/enabled'), { enabled: false });
    await user.call('PUT', path('underride/.m.rule.message/actions'), { actions: ['notify'] });
    expect(await user.call('GET', path('underride/.m.rule.message'))).toMatchObject({
      enabled: false,
      actions: ['notify'],
      default: true,
    });
    expect(await user.call('GET', path('underride/.m.rule.message/enabled'))).toEqual({ enabled: false });
    expect(await user.call('GET', path('underride/.m.rule.message/actions'))).toEqual({
      actions: ['notify'],
    });
    const [told] = (await sync(user, { since })).account_data.events;
    expect(told).toEqual({ type: 'm.push_rules', content: await user.call('GET', '/pushrules/') });
    await user.call('PUT', path('content/cats'), { pattern: 'cat', actions: ['notify'] });
    await user.call('PUT', path('content/cats/enabled'), { enabled: false });
    await user.call('PUT', path('content/cats'), { pattern: 'cats', actions: ['notify'] });
    expect(await user.call('GET', path('content/cats'))).toMatchObject({ enabled: false, pattern: 'cats' });
  });

  it('are one set when many are made at once', async () => {
    const user = await world.register('carol');
    const ids = Array.from({ length: 20 }, (_, index) => `r${index}`);
    await Promise.all(ids.map((id) => user.call('PUT', path(`content/${id}`), { pattern: id, actions: [] })));
    expect((await idsOf(user, 'content')).sort()).toEqual([...ids].sort());
  });

  it.each([
    ['override/.mine', { actions: [] }, 400, 'M_INVALID_PARAM'],
    ['override/a%2Fb', { actions: [] }, 400, 'M_INVALID_PARAM'],
    ['content/x', { actions: [] }, 400, 'M_MISSING_PARAM'],
    ['override/x', { actions: [1] }, 400, 'M_BAD_JSON'],
    ['override/x', {}, 400, 'M_MISSING_PARAM'],
    ['other/x', { actions: [] }, 400, 'M_INVALID_PARAM'],
    ['override/.m.rule.none/enabled', { enabled: true }, 404, 'M_NOT_FOUND'],
  ])('refuse %s with %j', async (rest, body, status, errcode) => {
    const user = await world.register(`refused${randomBytes(6).toString('hex')}`);
    expect(await user.request('PUT', full(rest), { body })).toMatchObject({ status, body: { errcode } });
    expect((await world.request('PUT', full(rest), { body })).status).toBe(401);
  });
});

describe('presence', () => {
  it('is off: everybody is offline, whatever they say', async () => {
    const user = await world.register('dave');
    await user.call('PUT', `/presence/${user.userId}/status`, { presence: 'online' });
    expect(await user.call('GET', `/presence/${user.userId}/status`)).toEqual({ presence: 'offline' });
    const other = `/_matrix/client/v3/presence/@nobody:test.example/status`;
    expect((await user.request('GET', other)).status).toBe(404);
    expect((await user.request('PUT', other, { body: { presence: 'online' } })).status).toBe(403);
  });
});
