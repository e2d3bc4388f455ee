import type { TestClient } from '@seneschal/testing';

import { openStage, type Stage } from './stage.ts';
import { setState, sync } from './syncing.ts';

let stage: Stage;
openStage((opened) => (stage = opened));

const configure = (client: TestClient, content: object) =>
  client.call(
    'PUT',
    `/user/${encodeURIComponent(client.userId)}/account_data/m.invite_permission_config`,
    content,
  );
const block = (client: TestClient) => configure(client, { default_action: 'block' });
const path = (roomId: string, rest: string): string =>
  `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}${rest}`;
const blocked = { status: 403, body: { errcode: 'M_INVITE_BLOCKED' } };
const invites = async (client: TestClient, since?: string): Promise<string[]> =>
  Object.keys((await sync(client, since === undefined ? {} : { since })).rooms.invite);

describe('a user who wants no invites', () => {
  afterEach(() => configure(stage.bob, {}));

  it('is not invited, by whatever way it is tried, any number of times', async () => {
    const { alice, bob } = stage;
    const roomId = await alice.createRoom();
    await block(bob);
    const member = path(roomId, `/state/m.room.member/${encodeURIComponent(bob.userId)}`);
    const content = { membership: 'invite' };
    for (let time = 0; time < 2; time += 1) {
      const invite = { body: { user_id: bob.userId } };
      expect(await alice.request('POST', path(roomId, '/invite'), invite)).toMatchObject(blocked);
      expect(await alice.request('PUT', member, { body: content })).toMatchObject(blocked);
    }
    expect((await alice.request('GET', member)).status).toBe(404);
    expect(await invites(bob)).toEqual([]);
  });

  it.each([
    ['invite', (userId: string) => ({ invite: [userId] })],
    [
      'initial_state',
      (userId: string) => ({
        initial_state: [{ type: 'm.room.member', state_key: userId, content: { membership: 'invite' } }],
      }),
    ],
  ])('keeps a room with them in %s from being made', async (_, asked) => {
    const { alice, bob } = stage;
    await block(bob);
    const before = await alice.joinedRooms();
    const body = asked(bob.userId);
    expect(await alice.request('POST', '/_matrix/client/v3/createRoom', { body })).toMatchObject(blocked);
    expect(await alice.joinedRooms()).toEqual(before);
  });

  it('sees no invite from before either, and all of them later', async () => {
    const { alice, bob } = stage;
    const { next_batch: since } = await sync(bob);
    const roomId = await alice.createRoom({ invite: [bob.userId] });
    await block(bob);
    expect(await invites(bob, since)).toEqual([]);
    expect(await invites(bob)).toEqual([]);
    const member = path(roomId, `/state/m.room.member/${encodeURIComponent(bob.userId)}`);
    expect((await alice.request('GET', member)).body).toMatchObject({ membership: 'invite' });
    await configure(bob, {});
    expect(await invites(bob)).toEqual([roomId]);
    await bob.join(roomId);
  });

  it('joins, knocks, and invites others as ever', async () => {
    const { alice, bob } = stage;
    await block(bob);
    const open = await alice.createRoom({ preset: 'public_chat' });
    await bob.join(open);
    const own = await bob.createRoom({ invite: [alice.userId] });
    expect(await invites(alice)).toContain(own);
    const knocked = await alice.createRoom();
    await setState(alice, knocked, 'm.room.join_rules', { join_rule: 'knock' });
    await bob.call('POST', `/knock/${encodeURIComponent(knocked)}`, {});
    expect(Object.keys((await sync(bob)).rooms.knock)).toContain(knocked);
  });

  it.each([
    ['nothing', {}],
    ['another word', { default_action: 'allow' }],
    ['a list', { default_action: ['block'] }],
    ['a NUL', { default_action: '\0' }],
  ])('does not say so by %s', async (_, content) => {
    const { alice, bob } = stage;
    await configure(bob, content);
    const roomId = await alice.createRoom({ invite: [bob.userId] });
    expect(await invites(bob)).toContain(roomId);
  });

  it('tells nobody without a token', async () => {
    const { bob, world } = stage;
    await block(bob);
    const roomId = await stage.alice.createRoom();
    const body = { user_id: bob.userId };
    expect((await world.request('POST', path(roomId, '/invite'), { body })).status).toBe(401);
  });
});
