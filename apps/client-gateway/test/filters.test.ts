import { syncapi } from '@seneschal/contracts';
import type { TestClient, World } from '@seneschal/testing';

import { openStage } from './stage.ts';

let world: World, alice: TestClient, bob: TestClient;
openStage((stage) => ({ world, alice, bob } = stage));

const path = (userId: string, filterId = ''): string =>
  `/_matrix/client/v3/user/${encodeURIComponent(userId)}/filter${filterId}`;

describe('filters', () => {
  const filter = { room: { timeline: { limit: 3 } } };

  it('are stored and given back, under the same ID when asked for twice', async () => {
    const made = await alice.call('POST', `/user/${encodeURIComponent(alice.userId)}/filter`, filter);
    expect((await alice.request('GET', path(alice.userId, `/${String(made['filter_id'])}`))).body).toEqual(
      filter,
    );
    const again = await world.homeserver.platform.bus.call(syncapi.createFilter, {
      userId: alice.userId,
      filter,
    });
    expect(again.filterId).toBe(made['filter_id']);
  });

  it('belong to their user', async () => {
    const made = await alice.call('POST', `/user/${encodeURIComponent(alice.userId)}/filter`, filter);
    const id = `/${String(made['filter_id'])}`;
    expect((await bob.request('GET', path(alice.userId, id))).status).toBe(403);
    expect((await bob.request('GET', path(bob.userId, id))).status).toBe(404);
    expect((await bob.request('POST', path(alice.userId), { body: filter })).status).toBe(403);
  });

  it.each([{ room: { timeline: { limit: 'many' } } }, { room: [] }])(
    'are refused when they are none: %j',
    async (body) => {
      const answer = await alice.request('POST', path(alice.userId), { body });
      expect([answer.status, answer.body['errcode']]).toEqual([400, 'M_BAD_JSON']);
    },
  );
});
