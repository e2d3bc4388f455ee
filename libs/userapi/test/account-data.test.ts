import { userapi } from '@seneschal/contracts';

import { connection, type Fixture, startFixture, tokenHash } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

describe('account data', () => {
  it('is told between positions, and all of it from the beginning', async () => {
    const userId = await fixture.register('alice');
    const from = await fixture.reads.position();
    await fixture.call(userapi.setAccountData, { userId, type: 'a', content: { n: 1, s: 'nul \0' } });
    const middle = await fixture.reads.position();
    await fixture.call(userapi.setAccountData, { userId, roomId: '!r:x.test', type: 'b', content: { n: 2 } });
    const to = await fixture.reads.position();
    const a = { roomId: null, type: 'a', content: { n: 1, s: 'nul \0' } };
    const b = { roomId: '!r:x.test', type: 'b', content: { n: 2 } };
    await expect(fixture.reads.accountDataBetween(userId, from, to)).resolves.toEqual([a, b]);
    await expect(fixture.reads.accountDataBetween(userId, middle, to)).resolves.toEqual([b]);
    const all = await fixture.reads.accountDataBetween(userId, null, to);
    expect(all.map((one) => one.type)).toEqual(['m.push_rules', 'a', 'b']);
    await expect(fixture.reads.accountData(userId, null, 'a')).resolves.toEqual(a.content);
    await expect(fixture.reads.accountData(userId, null, 'b')).resolves.toBeUndefined();
  });

  it('gives push rules that name the user', async () => {
    const rules = await fixture.reads.accountData('@bob:x.test', null, 'm.push_rules');
    expect(JSON.stringify(rules)).toContain('"value":"@bob:x.test"');
  });

  it('loses no tag when several are set at once', async () => {
    const userId = await fixture.register('carol');
    const tag = { userId, roomId: '!r:x.test' };
    const tags = Array.from({ length: 10 }, (_, i) => `u.${i}`);
    await Promise.all(tags.map((one) => fixture.call(userapi.setRoomTag, { ...tag, tag: one, content: {} })));
    await fixture.call(userapi.setRoomTag, { ...tag, tag: 'u.0', content: null });
    const stored = await fixture.reads.accountData(userId, tag.roomId, 'm.tag');
    expect(Object.keys(stored?.['tags'] ?? {}).sort()).toEqual(tags.slice(1));
  });
});

describe('pushers', () => {
  const pusher = (userId: string, append: boolean) => ({
    userId,
    deviceId: 'D1',
    appId: 'app',
    pushkey: 'key',
    pusher: { pushkey: 'key' },
    append,
  });

  it('belong to one user unless appended', async () => {
    const [dave, erin] = [await fixture.register('dave'), await fixture.register('erin')];
    await fixture.call(userapi.setPusher, pusher(dave, false));
    await fixture.call(userapi.setPusher, pusher(erin, true));
    await expect(fixture.reads.pushers(dave)).resolves.toEqual([{ pushkey: 'key' }]);
    await fixture.call(userapi.setPusher, pusher(erin, false));
    await expect(fixture.reads.pushers(dave)).resolves.toEqual([]);
    await fixture.call(userapi.setPusher, { ...pusher(erin, false), pusher: null });
    await expect(fixture.reads.pushers(erin)).resolves.toEqual([]);
  });

  it('go with their device', async () => {
    const userId = await fixture.register('frank');
    await fixture.call(userapi.setPusher, pusher(userId, true));
    const login = { userId, deviceId: 'D2', tokenHash: tokenHash('frank-2'), connection };
    await fixture.call(userapi.createDevice, login);
    await fixture.call(userapi.deleteDevices, { userId, deviceIds: ['D1'] });
    await expect(fixture.reads.pushers(userId)).resolves.toEqual([]);
  });
});
