import { startPeer } from '@seneschal/testing';

import { type Neighbours, openNeighbours } from './neighbours.ts';

let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));

const roomId = '!elsewhere:remote.example';
const room = {
  room_id: roomId,
  name: 'Elsewhere',
  num_joined_members: 3,
  world_readable: false,
  guest_can_join: false,
  join_rule: 'public',
  room_version: '12',
  children_state: [],
};
const federated = '/_matrix/federation/v1/hierarchy';

function answering(body: object, status = 200): void {
  peer.answer(federated, () => ({ status, body: body as never }));
}

const telling = (more: object): void =>
  answering({ room: { ...room, ...more }, children: [], inaccessible_children: [] });

const summary = (of: string, via: string, token = alice.token) =>
  world.request('GET', `/_matrix/client/v1/room_summary/${encodeURIComponent(of)}`, {
    query: { via },
    token,
  });

const none = { status: 404, body: { errcode: 'M_NOT_FOUND' } };

describe('the summary of a room of other servers', () => {
  it('is what a named server tells, as far as it has the right form', async () => {
    telling({ secret: 'x', topic: 'Far' });
    const { children_state: _, ...shown } = room;
    const answer = await summary(roomId, peer.serverName);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ ...shown, topic: 'Far' });
    expect(peer.requests.at(-1)).toMatchObject({
      method: 'GET',
      uri: `${federated}/${encodeURIComponent(roomId)}?suggested_only=true`,
      authorization: expect.stringContaining('X-Matrix') as string,
    });
  });

  it.each([
    ['of another room', { room_id: '!other:remote.example' }],
    ['of the wrong form', { num_joined_members: 'many' }],
    ['too large', { topic: 'x'.repeat(100_000) }],
    ['of a room by invite only', { join_rule: 'invite' }],
    [
      'of a restricted room that the user is not let into',
      { join_rule: 'restricted', allowed_room_ids: ['!a:b'] },
    ],
  ])('is none when it is %s', async (_, more) => {
    telling(more);
    expect(await summary(roomId, peer.serverName)).toMatchObject(none);
  });

  it('is told to members of a room that lets them in', async () => {
    const allowed = await alice.createRoom();
    telling({ join_rule: 'restricted', allowed_room_ids: [allowed] });
    expect((await summary(roomId, peer.serverName)).status).toBe(200);
    const bob = await world.register('bob');
    expect(await summary(roomId, peer.serverName, bob.token)).toMatchObject(none);
  });

  it('is none when no server knows, is reached or is named', async () => {
    answering({ errcode: 'M_NOT_FOUND', error: 'none' }, 404);
    expect(await summary(roomId, peer.serverName)).toMatchObject(none);
    const gone = await startPeer();
    await gone.stop();
    expect(await summary(roomId, gone.serverName)).toMatchObject(none);
    expect(await summary(roomId, 'no server name')).toMatchObject(none);
  });

  it('is asked of nobody for a room that is here, nor without a token', async () => {
    telling({});
    const closed = await alice.createRoom({ preset: 'private_chat' });
    const carol = await world.register('carol');
    const before = peer.requests.length;
    expect(await summary(closed, peer.serverName, carol.token)).toMatchObject(none);
    const path = `/_matrix/client/v1/room_summary/${encodeURIComponent(roomId)}`;
    expect((await world.request('GET', path, { query: { via: peer.serverName } })).status).toBe(401);
    expect(peer.requests.length).toBe(before);
  });
});
