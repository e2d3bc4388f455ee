import {
  type Peer,
  peerSettings,
  startPeer,
  startWorld,
  type TestAnswer,
  type World,
} from '@seneschal/testing';

import { ask, authorizationOf } from './asking.ts';

let world: World, eager: Peer, other: Peer;
beforeAll(async () => {
  const settings = { ...peerSettings, SENESCHAL_RATE_LIMITS: 'on', SENESCHAL_FEDERATION_RATE_LIMIT: '1' };
  [world, eager, other] = await Promise.all([startWorld({ settings }), startPeer(), startPeer()]);
  await world.register('alice');
});
afterAll(() => Promise.all([world.stop(), eager.stop(), other.stop()]));

const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent('@alice:test.example')}`;

it('answers a server that asks too often 429 with the time to wait, and no other server', async () => {
  const answers: TestAnswer[] = [];
  while (answers.at(-1)?.status !== 429 && answers.length < 100)
    answers.push(await ask(eager, world, { uri }));
  const last = answers.at(-1) as TestAnswer;
  // Ten in ten seconds; on a slow machine a window may have ended in between.
  expect(answers.length).toBeGreaterThan(10);
  expect([last.status, last.body['errcode']]).toEqual([429, 'M_LIMIT_EXCEEDED']);
  const waitMs = last.body['retry_after_ms'] as number;
  expect(waitMs).toBeGreaterThan(0);
  expect(Number(last.headers.get('retry-after'))).toBe(Math.ceil(waitMs / 1000));
  expect((await ask(other, world, { uri })).status).toBe(200);
});

it('lets nobody use up what another server may ask: requests that are not its own do not count', async () => {
  const third = await startPeer();
  const forged = authorizationOf(third, world, { uri: '/other' });
  for (let count = 0; count < 30; count += 1) {
    const answer = await world.request('GET', uri, { headers: { authorization: forged } });
    expect(answer.status).toBe(401);
  }
  expect((await ask(third, world, { uri })).status).toBe(200);
  await third.stop();
});
