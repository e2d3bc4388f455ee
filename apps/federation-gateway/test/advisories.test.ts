import type { JsonObject, Pdu } from '@seneschal/matrix';
import { type Peer, startPeer, startWorld, type TestClient } from '@seneschal/testing';

import { ask, deliver, errorsOf } from './asking.ts';
import { enterRoom, eventOf, type Foothold, idsOf, mallory } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';
import { leaveAs } from './peer-users.ts';
import { joinVia, say, setState, stateOf } from './sharing.ts';

const v1 = '/_matrix/federation/v1';
const v2 = '/_matrix/federation/v2';

let admin: TestClient;
let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));
beforeAll(async () => {
  admin = await world.register('admin', { admin: true });
});

const enter = (): Promise<Foothold> => enterRoom({ world, peer, alice });
const send = async (...pdus: readonly Pdu[]): Promise<(string | undefined)[]> =>
  errorsOf(await deliver(peer, world, { pdus }));

describe('an event that was rejected', () => {
  /** A change of power by one who has none. */
  const coup = (foothold: Foothold): Pdu =>
    eventOf(peer, foothold, {
      ...{ type: 'm.room.power_levels', state_key: '', content: { users: { [mallory(peer)]: 100 } } },
    });

  it('10 (CVE-2022-39374): stays so when it comes again, and when it is told as state', async () => {
    const foothold = await enter();
    const evil = coup(foothold);
    const before = await stateOf(alice, foothold.roomId, 'm.room.power_levels');
    const [first] = await send(evil);
    const [again] = await send(evil);
    expect([first, again]).toEqual([expect.any(String), 'The event was rejected before']);
    const others = foothold.state.filter(({ type }) => type !== 'm.room.power_levels');
    const pdus = [...others, foothold.join.pdu, evil] as unknown as JsonObject[];
    peer.answer(`${v1}/state/`, () => ({ body: { pdus, auth_chain: pdus } }));
    const path = `/_dendrite/admin/downloadState/${peer.serverName}/${encodeURIComponent(foothold.roomId)}`;
    expect((await admin.request('POST', path)).status).toBe(200);
    expect(await stateOf(alice, foothold.roomId, 'm.room.power_levels')).toEqual(before);
  });

  it('10 (CVE-2022-31152): stays so when the room was purged and is joined afresh', async () => {
    const foothold = await enter();
    const { roomId, join, state } = foothold;
    const evil = coup(foothold);
    expect(await send(evil)).toEqual([expect.any(String)]);
    const purge = `/_dendrite/admin/purgeRoom/${encodeURIComponent(roomId)}`;
    expect((await admin.request('POST', purge)).status).toBe(200);
    await world.settled();
    serveRoom(peer, { roomId, state: [...state, join.pdu], extra: [evil], end: join.eventId });
    await joinVia(alice, roomId, { ...world, serverName: peer.serverName });
    const levels = (await stateOf(alice, roomId, 'm.room.power_levels')) as { users: object };
    expect(Object.keys(levels.users)).toEqual([alice.userId]);
  });
});

/** Has a peer let users into a room, of whose state it tells something more. */
function serveRoom(host: Peer, room: { roomId: string; state: Pdu[]; extra: Pdu[]; end: string }): void {
  const { roomId, state, extra, end } = room;
  host.answer(`${v1}/make_join/`, ({ uri }) => {
    const userId = decodeURIComponent(uri.split('?')[0]?.split('/').at(-1) ?? '');
    const needed = ['m.room.create', 'm.room.power_levels', 'm.room.join_rules'];
    const chosen = state.filter((pdu) => needed.includes(pdu.type) || pdu.state_key === userId);
    const event = {
      ...{ type: 'm.room.member', room_id: roomId, sender: userId, state_key: userId, depth: 30 },
      ...{ content: { membership: 'join' }, prev_events: [end], auth_events: idsOf(chosen) },
    };
    return { body: { room_version: '10', event } };
  });
  const told = [...extra, ...state] as unknown as JsonObject[];
  host.answer(`${v2}/send_join/`, () => ({
    body: { state: told, auth_chain: told, origin: host.serverName },
  }));
}

describe('pages of a history', () => {
  it('19 (CVE-2026-45076): go on where other servers sent nothing but what was rejected', async () => {
    const foothold = await enter();
    await say(alice, foothold.roomId, 'first');
    const evil = Array.from({ length: 40 }, (_, index) =>
      eventOf(peer, foothold, {
        ...{ type: 'm.room.topic', state_key: '', content: { topic: `evil ${index}` } },
      }),
    );
    expect(new Set(await send(...evil)).has(undefined)).toBe(false);
    await say(alice, foothold.roomId, 'last');
    const found: unknown[] = [];
    let from = '';
    for (let pages = 0; pages < 20 && from !== 'none'; pages += 1) {
      const query = `dir=b&limit=3${from === '' ? '' : `&from=${encodeURIComponent(from)}`}`;
      const at = `/rooms/${encodeURIComponent(foothold.roomId)}/messages?${query}`;
      const page = (await alice.call('GET', at)) as { chunk: { content: JsonObject }[]; end?: string };
      found.push(...page.chunk.map(({ content }) => content['body'] ?? content['topic']));
      from = page.end ?? 'none';
    }
    expect(from).toBe('none');
    expect(found.filter((body) => body !== undefined)).toEqual(['last', 'first']);
  });
});

describe('a server whose users have all left', () => {
  it('22 (CVE-2024-53867, CVE-2021-39163): learns nothing of what came after', async () => {
    const foothold = await enter();
    await setState(alice, foothold.roomId, 'm.room.history_visibility', { history_visibility: 'joined' });
    const authEvents = foothold.authEvents as string[];
    await leaveAs(peer, world, { ...foothold, userId: mallory(peer), authEvents });
    const eventId = await say(alice, foothold.roomId, 'secret');
    const [room, event] = [encodeURIComponent(foothold.roomId), encodeURIComponent(eventId)];
    for (const uri of [
      `${v1}/event/${event}`,
      `${v1}/backfill/${room}?v=${event}&limit=10`,
      `${v1}/state/${room}?event_id=${event}`,
    ]) {
      const { status, text } = await ask(peer, world, { uri });
      expect([uri, status]).toEqual([uri, 403]);
      expect(text).not.toContain('secret');
    }
    await world.settled();
    expect(peer.requests.filter(({ body }) => body.includes('secret'))).toEqual([]);
  });
});

describe('requests to other servers', () => {
  it('4 (CVE-2024-52594): go to no private address, by whatever name it has', async () => {
    const [guarded, hidden] = await Promise.all([
      startWorld({ settings: { SENESCHAL_FEDERATION_VERIFY_CERTIFICATES: 'off' } }),
      startPeer(),
    ]);
    try {
      const bob = await guarded.register('bob');
      const port = hidden.serverName.split(':')[1] ?? '';
      for (const name of [hidden.serverName, `localhost:${port}`, `[::ffff:127.0.0.1]:${port}`]) {
        const at = `/_matrix/client/v3/join/${encodeURIComponent('!room:elsewhere.example')}?server_name=${encodeURIComponent(name)}`;
        expect((await bob.request('POST', at, { body: {} })).status).not.toBe(200);
      }
      expect(hidden.requests).toEqual([]);
    } finally {
      await Promise.all([guarded.stop(), hidden.stop()]);
    }
  });
});
