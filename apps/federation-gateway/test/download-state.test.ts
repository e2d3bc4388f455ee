import { federation, roomserver } from '@seneschal/contracts';
import type { JsonObject, Pdu } from '@seneschal/matrix';
import { type TestAnswer, type TestClient } from '@seneschal/testing';
import { sql } from 'kysely';

import { enterRoom, eventOf, type Foothold, idsOf, mallory } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';
import { membersOf, setState, texts } from './sharing.ts';

let admin: TestClient;
let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));
beforeAll(async () => {
  admin = await world.register('admin', { admin: true });
});

const enter = (): Promise<Foothold> => enterRoom({ world, peer, alice });
const path = (roomId: string, server = peer.serverName): string =>
  `/_dendrite/admin/downloadState/${encodeURIComponent(server)}/${encodeURIComponent(roomId)}`;
const friend = (): string => `@friend:${peer.serverName}`;

/** A join of another user of the peer, of which the world has not heard. */
function lostJoin(foothold: Foothold, more: Partial<Pdu> = {}): Pdu {
  const needed = new Set(['m.room.create', 'm.room.power_levels', 'm.room.join_rules']);
  const authEvents = idsOf(foothold.state.filter(({ type }) => needed.has(type)));
  return eventOf(peer, foothold, {
    ...{ type: 'm.room.member', sender: friend(), state_key: friend(), auth_events: authEvents },
    content: { membership: 'join' },
    ...more,
  });
}

/** Has the peer tell a state of the room. */
function tell(pdus: readonly object[], authChain: readonly object[] = []): void {
  peer.answer('/_matrix/federation/v1/state/', () => ({
    body: { pdus: [...pdus], auth_chain: [...authChain] } as unknown as JsonObject,
  }));
}

async function jobOf(answer: TestAnswer): Promise<Record<string, unknown>> {
  const id = answer.headers.get('seneschal-job-id') ?? '';
  return (await admin.request('GET', `/_seneschal/v1/jobs/${id}`)).body;
}

async function itemsOf(answer: TestAnswer): Promise<{ item: string; state: string; reason: string }[]> {
  const id = answer.headers.get('seneschal-job-id') ?? '';
  return (await admin.request('GET', `/_seneschal/v1/jobs/${id}/items?limit=100`)).body['items'] as never;
}

async function hiddenEvents(): Promise<number> {
  return (await sql`SELECT FROM roomserver_hidden_events`.execute(world.sql)).rows.length;
}

describe('downloadState', () => {
  it('S1: makes what was lost part of the room, without an event and without the administrator in it', async () => {
    const foothold = await enter();
    const before = await texts(alice, foothold.roomId);
    tell([...foothold.state, foothold.join.pdu, lostJoin(foothold)]);
    const { next_batch: since } = await alice.call('GET', '/sync');
    const answer = await admin.request('POST', path(foothold.roomId));
    expect([answer.status, answer.body]).toEqual([200, {}]);
    const members = [alice.userId, mallory(peer), friend()].sort();
    expect(await membersOf(alice, foothold.roomId)).toEqual(members);
    await world.settled();
    const synced = JSON.stringify(await alice.call('GET', `/sync?since=${String(since)}`));
    expect(synced).toContain(friend());
    expect(synced).not.toContain('state_download');
    expect(await texts(alice, foothold.roomId)).toEqual(before);
    expect(await jobOf(answer)).toMatchObject({
      ...{ kind: 'download_state', state: 'completed', failed_items: 0 },
      result: { changes: 1, dropped: 0, newEvents: 1, notTold: [] },
    });
    const [item] = await itemsOf(answer);
    expect(item).toMatchObject({ item: `m.room.member ${friend()}`, state: 'done' });
    expect(item?.reason).toMatch(/^nothing → \$/);
    // The room goes on: the next event names what came.
    await setState(alice, foothold.roomId, 'm.room.topic', { topic: 'still here' });
  });

  it('S1: tells of each event that was dropped, and why; it harms none of the others (CVE-2022-39200)', async () => {
    const foothold = await enter();
    const good = lostJoin(foothold);
    const forged = { ...lostJoin(foothold), depth: 21 };
    const other = eventOf(
      peer,
      { ...foothold, roomId: '!other:elsewhere.example' },
      {
        ...{ type: 'm.room.topic', state_key: '', content: { topic: 'of another room' } },
      },
    );
    const powers = eventOf(peer, foothold, {
      ...{ type: 'm.room.power_levels', state_key: '' },
      content: { users: { [mallory(peer)]: 100 } },
    });
    const orphan = lostJoin(foothold, { depth: 22, auth_events: [`$${'x'.repeat(43)}`] });
    tell([{ junk: true }, forged, other, powers, orphan, ...foothold.state, foothold.join.pdu, good]);
    const answer = await admin.request('GET', path(foothold.roomId));
    expect([answer.status, answer.body]).toEqual([200, {}]);
    const items = await itemsOf(answer);
    const dropped = items.filter(({ state }) => state === 'skipped');
    expect(dropped.map(({ reason }) => reason).sort()).toEqual([
      expect.stringMatching(/^It is not signed by 127/),
      'It is of another room.',
      expect.stringMatching(/^It names an auth event/),
      expect.any(String),
      expect.any(String),
    ]);
    expect(dropped.map(({ item }) => item)).toEqual(
      expect.arrayContaining(['#0', ...idsOf([powers, orphan])]),
    );
    expect(await membersOf(alice, foothold.roomId)).toContain(friend());
    const levels = await alice.call(
      'GET',
      `/rooms/${encodeURIComponent(foothold.roomId)}/state/m.room.power_levels/`,
    );
    expect(levels['users'] as object).not.toHaveProperty([mallory(peer)]);
  });

  it('loses nothing to a server that leaves things out, and has no local user do anything', async () => {
    const foothold = await enter();
    const leave = {
      ...lostJoin(foothold, {
        sender: alice.userId,
        state_key: alice.userId,
        content: { membership: 'leave' },
      }),
    };
    tell([...foothold.state.filter(({ type }) => type === 'm.room.create'), leave]);
    expect((await admin.request('POST', path(foothold.roomId))).status).toBe(200);
    expect(await membersOf(alice, foothold.roomId)).toEqual([alice.userId, mallory(peer)].sort());
    const rules = await alice.call(
      'GET',
      `/rooms/${encodeURIComponent(foothold.roomId)}/state/m.room.join_rules/`,
    );
    expect(rules).toEqual({ join_rule: 'public' });
  });

  it('shows the difference with dry_run, and changes nothing', async () => {
    const foothold = await enter();
    const [lost] = [lostJoin(foothold)];
    tell([{}, ...foothold.state, foothold.join.pdu, lost]);
    const before = await hiddenEvents();
    const answer = await admin.request('POST', `${path(foothold.roomId)}?dry_run=true`);
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.objectContaining({
        dry_run: true,
        counts: expect.objectContaining({ state: 1, events: 1, dropped: 1, remote_servers: 1 }) as object,
        changes: [{ type: 'm.room.member', state_key: friend(), before: null, after: idsOf([lost])[0] }],
        dropped: [{ event_id: '#0', reason: expect.any(String) as string }],
      }),
    ]);
    expect(await membersOf(alice, foothold.roomId)).not.toContain(friend());
    expect(await hiddenEvents()).toBe(before);
    expect((await admin.request('POST', `${path(foothold.roomId)}?dry_run=yes`)).status).toBe(400);
  });

  it('changes nothing the second time, and two at once are one job', async () => {
    const foothold = await enter();
    tell([...foothold.state, foothold.join.pdu, lostJoin(foothold)]);
    const both = await Promise.all([1, 2].map(() => admin.request('POST', path(foothold.roomId))));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const again = await jobOf(await admin.request('POST', path(foothold.roomId)));
    expect(again).toMatchObject({ state: 'completed', result: { changes: 0, newEvents: 0 } });
    const { bus } = world.homeserver.platform;
    const input = { roomId: foothold.roomId, serverName: peer.serverName };
    expect(await bus.call(federation.rehearseDownload, input)).toMatchObject({ changes: [], dropped: [] });
  });

  it('answers 502 with the reason when the server cannot be reached, refuses, or tells nothing', async () => {
    const { roomId } = await enter();
    const errorOf = async (server?: string): Promise<unknown> => {
      const { status, body, headers } = await admin.request('POST', path(roomId, server));
      expect([status, body['errcode'], headers.get('seneschal-job-id') !== null]).toEqual([
        502,
        'M_UNKNOWN',
        true,
      ]);
      return body['error'];
    };
    expect(await errorOf('127.0.0.1:1')).toMatch(/127\.0\.0\.1:1 cannot be reached/);
    peer.answer('/_matrix/federation/v1/state/', () => ({
      ...{ status: 403, body: { errcode: 'M_FORBIDDEN', error: '<b>not for you</b>' } },
    }));
    expect(await errorOf()).toMatch(/It answered 403 M_FORBIDDEN\.$/);
    peer.answer('/_matrix/federation/v1/state/', () => ({ body: { pdus: 'none' } }));
    expect(await errorOf()).toMatch(/no state/);
    peer.answer('/_matrix/federation/v1/state/', () => ({ body: '[1, 2' }));
    expect(await errorOf()).toBeDefined();
  });

  it('knows a room that is being deleted from one that is not there', async () => {
    const foothold = await enter();
    tell([...foothold.state, foothold.join.pdu, lostJoin(foothold)]);
    await sql`UPDATE roomserver_rooms SET is_closed = true WHERE room_id = ${foothold.roomId}`.execute(
      world.sql,
    );
    const answer = await admin.request('POST', path(foothold.roomId));
    expect([answer.status, answer.body['errcode']]).toEqual([403, 'M_FORBIDDEN']);
    const { bus } = world.homeserver.platform;
    const nowhere = {
      roomId: '!none:x.example',
      origin: 'x.example',
      states: [],
      events: [],
      isRehearsal: false,
    };
    await expect(bus.call(roomserver.mergeState, nowhere)).rejects.toMatchObject({ status: 404 });
  });

  it.each([
    ['unknown room', () => path('!none:test.example'), 404, 'M_NOT_FOUND'],
    ['no room ID', () => path('none'), 400, 'M_INVALID_PARAM'],
    ['no server name', () => path('!none:test.example', 'a b'), 400, 'M_INVALID_PARAM'],
    ['this server', () => path('!none:test.example', 'test.example'), 400, 'M_INVALID_PARAM'],
    ['trailing slash', () => `${path('!none:test.example')}/`, 404, 'M_UNRECOGNIZED'],
  ] as const)('S1: answers an %s with its status', async (_, at, status, errcode) => {
    for (const method of ['GET', 'POST']) {
      const answer = await admin.request(method, at());
      expect([answer.status, answer.body['errcode']]).toEqual([status, errcode]);
    }
  });

  it('is for administrators, whether or not there is such a room', async () => {
    const { roomId } = await enter();
    for (const room of [roomId, '!none:test.example', 'none']) {
      expect((await alice.request('POST', path(room))).status).toBe(403);
      expect((await world.request('POST', path(room))).status).toBe(401);
    }
  });
});
