import { type JsonObject, own } from '@seneschal/matrix';
import {
  allDelivered,
  type Peer,
  startFederatedWorld,
  startPeer,
  type TestClient,
  type World,
} from '@seneschal/testing';

import { membersOf, setState } from './sharing.ts';

const v1 = '/_matrix/federation/v1';

let here: World, there: World, peer: Peer;
let alice: TestClient, bob: TestClient;
beforeAll(async () => {
  [here, there, peer] = await Promise.all([startFederatedWorld(), startFederatedWorld(), startPeer()]);
  [alice, bob] = await Promise.all([here.register('alice'), there.register('bob')]);
});
afterAll(() => Promise.all([here.stop(), there.stop(), peer.stop()]));

const knockAt = (roomId: string, via: string): string =>
  `/_matrix/client/v3/knock/${encodeURIComponent(roomId)}?via=${encodeURIComponent(via)}`;

async function rooms(who: TestClient): Promise<Record<string, Record<string, unknown>>> {
  return (await who.call('GET', '/sync'))['rooms'] as never;
}

async function knockable(version: string): Promise<string> {
  const roomId = await bob.createRoom({ preset: 'private_chat', name: 'Club', room_version: version });
  await setState(bob, roomId, 'm.room.join_rules', { join_rule: 'knock' });
  return roomId;
}

const membershipIn = async (roomId: string): Promise<unknown> => {
  const path = `/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(alice.userId)}`;
  return (await bob.call('GET', path))['membership'];
};

describe('knocking at a room of another server', () => {
  it.each(['10', '12'])(
    'is seen there, and the invite that follows is accepted (room version %s)',
    async (version) => {
      const roomId = await knockable(version);
      const knocked = await alice.request('POST', knockAt(roomId, there.serverName), {
        body: { reason: 'Hi!' },
      });
      expect([knocked.status, knocked.body]).toEqual([200, { room_id: roomId }]);
      expect(await membershipIn(roomId)).toBe('knock');
      const shown = JSON.stringify((await rooms(alice))['knock']?.[roomId]);
      expect(shown).toContain('Club');
      await bob.invite(roomId, alice.userId);
      await allDelivered(here, there);
      await alice.join(roomId);
      await allDelivered(here, there);
      expect(await membersOf(bob, roomId)).toEqual([alice.userId, bob.userId].sort());
    },
  );

  it.each(['10', '12'])('is taken back by leaving (room version %s)', async (version) => {
    const roomId = await knockable(version);
    await alice.request('POST', knockAt(roomId, there.serverName), { body: {} });
    await alice.leave(roomId);
    await allDelivered(here, there);
    expect(await membershipIn(roomId)).toBe('leave');
    expect(Object.keys((await rooms(alice))['knock'] ?? {})).not.toContain(roomId);
  });

  it('is refused where the room does not allow it, and where no server can be reached', async () => {
    const closed = await bob.createRoom({ preset: 'private_chat' });
    expect((await alice.request('POST', knockAt(closed, there.serverName), { body: {} })).status).toBe(403);
    const nowhere = await alice.request('POST', knockAt('!x:127.0.0.1:1', '127.0.0.1:1'), { body: {} });
    expect([nowhere.status, nowhere.body['errcode']]).toEqual([502, 'M_UNKNOWN']);
  });

  it('signs nothing but the knock that was asked for (CVE-2026-24471)', async () => {
    const roomId = `!trap:${peer.serverName}`;
    const template = {
      ...{ type: 'm.room.member', room_id: roomId, sender: alice.userId, state_key: alice.userId },
      ...{ content: { membership: 'knock' }, depth: 4 },
      ...{ prev_events: [`$${'a'.repeat(43)}`], auth_events: [`$${'a'.repeat(43)}`] },
    };
    peer.answer(`${v1}/send_knock`, () => ({
      body: { knock_room_state: ['junk', null, { type: 1 }] } as JsonObject,
    }));
    for (const wrong of [
      { type: 'm.room.power_levels' },
      { room_id: '!other:elsewhere.example' },
      { sender: '@admin:elsewhere.example' },
      { state_key: bob.userId },
      { content: { membership: 'join' } },
      { redacts: `$${'b'.repeat(43)}` },
    ]) {
      peer.answer(`${v1}/make_knock`, () => ({
        body: { room_version: '10', event: { ...template, ...wrong } } as JsonObject,
      }));
      const answer = await alice.request('POST', knockAt(roomId, peer.serverName), { body: {} });
      expect([wrong, answer.status]).toEqual([wrong, 403]);
    }
    expect(peer.requests.filter(({ uri }) => uri.startsWith(`${v1}/send_knock`))).toEqual([]);
    peer.answer(`${v1}/make_knock`, () => ({ body: { room_version: '10', event: template } as JsonObject }));
    expect((await alice.request('POST', knockAt(roomId, peer.serverName), { body: {} })).status).toBe(200);
    const sent = peer.requests.find(({ uri }) => uri.startsWith(`${v1}/send_knock`));
    expect(own(own(JSON.parse(sent?.body ?? '{}'), 'content'), 'membership')).toBe('knock');
  });
});

describe('what ends an invite or a knock, from the room', () => {
  const leave = (roomId: string): string => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/kick`;
  const shown = async (kind: 'invite' | 'knock'): Promise<string[]> =>
    Object.keys((await rooms(alice))[kind] ?? {});

  it.each(['10', '12'])('is seen by who knocked and was refused (room version %s)', async (version) => {
    const roomId = await knockable(version);
    await alice.request('POST', knockAt(roomId, there.serverName), { body: {} });
    expect(await shown('knock')).toContain(roomId);
    await bob.request('POST', leave(roomId), { body: { user_id: alice.userId, reason: 'No.' } });
    await allDelivered(here, there);
    expect(await shown('knock')).not.toContain(roomId);
  });

  it('is seen by who was invited and is so no more', async () => {
    const roomId = await bob.createRoom({ preset: 'private_chat' });
    await bob.invite(roomId, alice.userId);
    expect(await shown('invite')).toContain(roomId);
    await bob.request('POST', leave(roomId), { body: { user_id: alice.userId } });
    await allDelivered(here, there);
    expect(await shown('invite')).not.toContain(roomId);
  });
});
