import { rowsOf, startWorld, type TestClient, type World } from '@seneschal/testing';

import { sync } from './syncing.ts';

let world: World;
let alice: TestClient;
beforeAll(async () => {
  world = await startWorld();
  alice = await world.register('alice', { deviceId: 'A' });
});
afterAll(() => world.stop());

const type = 'm.room_key_request';
let transactions = 0;

function send(messages: object, txnId = `t${(transactions += 1)}`) {
  return alice.request('PUT', `/_matrix/client/v3/sendToDevice/${type}/${txnId}`, { body: { messages } });
}

async function loginAgain(localpart: string, deviceId: string): Promise<void> {
  const identifier = { type: 'm.id.user', user: localpart };
  const body = { type: 'm.login.password', identifier, password: 'a password', device_id: deviceId };
  expect((await world.request('POST', '/_matrix/client/v3/login', { body })).status).toBe(200);
}

async function waitingFor(userId: string): Promise<number> {
  const query = `SELECT FROM userapi_to_device WHERE user_id = '${userId}'`;
  return (await rowsOf(world.sql, query)).length;
}

const message = (content: object) => ({ sender: alice.userId, type, content });

describe('messages to devices', () => {
  it('reach a device until it has acknowledged them by its next sync', async () => {
    const bob = await world.register('bob', { deviceId: 'B' });
    const { next_batch: since } = await sync(bob);
    expect((await send({ [bob.userId]: { B: { n: 1 } } })).body).toEqual({});
    const first = await sync(bob, { since });
    expect(first.to_device.events).toEqual([message({ n: 1 })]);
    expect((await sync(bob, { since })).to_device.events).toEqual([message({ n: 1 })]);
    expect(await waitingFor(bob.userId)).toBe(1);
    const second = await sync(bob, { since: first.next_batch });
    expect(second.to_device.events).toEqual([]);
    expect(await waitingFor(bob.userId)).toBe(0);
  });

  it('wake a sync that waits', async () => {
    const bob = await world.register('bill', { deviceId: 'B' });
    const { next_batch: since } = await sync(bob);
    const waiting = sync(bob, { since, timeout: 20_000 });
    await send({ [bob.userId]: { '*': { n: 2 } } });
    expect((await waiting).to_device.events).toEqual([message({ n: 2 })]);
  });

  it('reach all devices of a user but those that are named apart', async () => {
    const carol = await world.register('carol', { deviceId: 'C1', password: 'a password' });
    await loginAgain('carol', 'C2');
    await send({ [carol.userId]: { '*': { to: 'all' }, C2: { to: 'C2' }, C3: { to: 'nobody' } } });
    expect((await sync(carol)).to_device.events).toEqual([message({ to: 'all' })]);
    expect(await waitingFor(carol.userId)).toBe(2);
  });

  it('are sent once, however often and at once the transaction comes', async () => {
    const dave = await world.register('dave', { deviceId: 'D' });
    const messages = { [dave.userId]: { D: { n: 3 } } };
    await Promise.all(Array.from({ length: 5 }, () => send(messages, 'again')));
    await send({ [dave.userId]: { D: { n: 4 } } }, 'again');
    expect((await sync(dave)).to_device.events).toEqual([message({ n: 3 })]);
  });

  it('come a hundred at a time, in order, none twice and none lost', async () => {
    const erin = await world.register('erin', { deviceId: 'E' });
    let { next_batch: since } = await sync(erin);
    for (let n = 0; n < 130; n += 1) await send({ [erin.userId]: { E: { n } } });
    const got: unknown[] = [];
    for (const expected of [100, 30, 0]) {
      const answer = await sync(erin, { since });
      expect(answer.to_device.events).toHaveLength(expected);
      got.push(...answer.to_device.events.map(({ content }) => (content as { n: number }).n));
      since = answer.next_batch;
    }
    expect(got).toEqual(Array.from({ length: 130 }, (_, n) => n));
  });

  it('go with the device', async () => {
    const frank = await world.register('frank', { deviceId: 'F' });
    await send({ [frank.userId]: { F: {} } });
    expect(await waitingFor(frank.userId)).toBe(1);
    await frank.call('POST', '/logout');
    expect(await waitingFor(frank.userId)).toBe(0);
    await send({ [frank.userId]: { F: {}, '*': {} } });
    expect(await waitingFor(frank.userId)).toBe(0);
  });

  it.each([
    [{}, 'M_MISSING_PARAM'],
    [{ messages: { alice: {} } }, 'M_BAD_JSON'],
    [{ messages: { '@a:b': { D: 'text' } } }, 'M_BAD_JSON'],
  ])('are refused when they are none: %j', async (body, errcode) => {
    const path = `/_matrix/client/v3/sendToDevice/${type}/x`;
    expect(await alice.request('PUT', path, { body })).toMatchObject({ status: 400, body: { errcode } });
    expect((await world.request('PUT', path, { body })).status).toBe(401);
  });
});
