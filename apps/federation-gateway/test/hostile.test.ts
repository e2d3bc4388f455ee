import { buildEvent, type JsonObject, type Pdu, type ProtoEvent, roomVersion } from '@seneschal/matrix';

import { ask, deliver, errorsOf } from './asking.ts';
import { enterRoom, eventOf, type Foothold } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';
import { membersOf, setState, texts } from './sharing.ts';

const v1 = '/_matrix/federation/v1';
const v2 = '/_matrix/federation/v2';
const version = roomVersion('10');

let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));

const mallory = (): string => `@mallory:${peer.serverName}`;

const enter = (): Promise<Foothold> => enterRoom({ world, peer, alice });

function message(foothold: Foothold, body: string, more: Partial<ProtoEvent> = {}): Pdu {
  return eventOf(peer, foothold, {
    ...{ type: 'm.room.message', content: { msgtype: 'm.text', body } },
    ...more,
  });
}

const send = async (pdus: readonly object[]): Promise<(string | undefined)[]> =>
  errorsOf(await deliver(peer, world, { pdus }));

describe('a hostile server', () => {
  it('harms no good event with its bad ones (CVE-2025-30355), and gets a result for each', async () => {
    const foothold = await enter();
    const good = message(foothold, 'good');
    const forged = { ...message(foothold, 'forged'), signatures: good.signatures };
    const changed = { ...message(foothold, 'signed'), content: { msgtype: 'm.text', body: 'changed' } };
    const foreign = message(foothold, 'foreign', { sender: alice.userId });
    const huge = { ...good, content: { body: 'x'.repeat(70_000) } };
    const nonsense = [{}, { room_id: foothold.roomId }, { room_id: foothold.roomId, type: 1, depth: 'x' }];
    const deep = {
      room_id: foothold.roomId,
      content: JSON.parse(`${'['.repeat(80)}${']'.repeat(80)}`) as object,
    };
    const errors = await send([forged, foreign, huge, ...nonsense, deep, good, changed]);
    expect(errors.filter((error) => error === undefined).length).toBe(2);
    expect(errors.filter((error) => error?.startsWith('It is not signed by'))).toHaveLength(2);
    // What does not fit its hash is taken as redacted: nobody reads what was put in later.
    expect((await texts(alice, foothold.roomId)).filter((text) => text !== undefined)).toEqual(['good']);
  });

  it('is refused where the path says another room or event than the event (CVE-2020-26257)', async () => {
    const foothold = await enter();
    const other = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
    const { pdu, eventId } = foothold.join;
    const content = pdu as unknown as JsonObject;
    for (const [roomId, ofEvent] of [
      [other, eventId],
      [foothold.roomId, `$${'a'.repeat(43)}`],
    ] as const) {
      const uri = `${v2}/send_join/${encodeURIComponent(roomId)}/${encodeURIComponent(ofEvent)}`;
      const { status, body } = await ask(peer, world, { method: 'PUT', uri, content });
      expect([status, body['errcode']]).toEqual([400, 'M_INVALID_PARAM']);
    }
    expect(await membersOf(alice, other)).toEqual([alice.userId]);
  });

  it('may not act for users of other servers', async () => {
    const roomId = await alice.createRoom({ preset: 'public_chat', room_version: '10' });
    const at = `${encodeURIComponent(roomId)}/${encodeURIComponent('@bob:elsewhere.example')}?ver=10`;
    expect((await ask(peer, world, { uri: `${v1}/make_join/${at}` })).status).toBe(403);
  });

  it('is shut out by the server ACL of the room', async () => {
    const foothold = await enter();
    await setState(alice, foothold.roomId, 'm.room.server_acl', { allow: ['*'], deny: ['127.0.0.1'] });
    const errors = await send([message(foothold, 'let me in')]);
    expect(errors).toEqual(['The room does not let this server take part.']);
    const at = encodeURIComponent(foothold.roomId);
    const uri = `${v1}/state/${at}?event_id=${encodeURIComponent(foothold.join.eventId)}`;
    expect((await ask(peer, world, { uri })).status).toBe(403);
    expect(await texts(alice, foothold.roomId)).toEqual([]);
  });

  it('sees nothing of rooms that it is not in', async () => {
    const roomId = await alice.createRoom({ preset: 'private_chat', room_version: '10' });
    const eventId = await setState(alice, roomId, 'm.room.name', { name: 'secret' });
    const [room, event] = [encodeURIComponent(roomId), encodeURIComponent(eventId)];
    for (const uri of [
      `${v1}/event/${event}`,
      `${v1}/state/${room}?event_id=${event}`,
      `${v1}/state_ids/${room}?event_id=${event}`,
      `${v1}/backfill/${room}?v=${event}&limit=10`,
      `${v1}/event_auth/${room}/${event}`,
      `${v1}/make_join/${room}/${encodeURIComponent(mallory())}?ver=10`,
    ]) {
      const { status, text } = await ask(peer, world, { uri });
      expect([uri, status]).toEqual([uri, 403]);
      expect(text).not.toContain('secret');
    }
  });

  it('does not stop the user directory by a name that holds NUL', async () => {
    const foothold = await enter();
    const content = { membership: 'join', displayname: 'Moby\u0000 Dick', avatar_url: '\u0000' };
    const named = message(foothold, '', { type: 'm.room.member', state_key: mallory(), content });
    expect(await send([named])).toEqual([undefined]);
    await world.settled();
    const found = await alice.call('POST', '/user_directory/search', { search_term: 'dick' });
    expect(found['results']).toEqual([{ user_id: mallory(), display_name: 'Moby Dick', avatar_url: '' }]);
  });

  it('is asked once for what its event lacks, and believed in nothing that it does not prove', async () => {
    const foothold = await enter();
    const made = `$${'m'.repeat(43)}`;
    peer.answer(`${v1}/get_missing_events`, () => ({ body: { events: [{ junk: true }] } }));
    peer.answer(`${v1}/state/`, () => ({
      body: { pdus: [{ type: 'm.room.power_levels' }], auth_chain: 'none' },
    }));
    const before = peer.requests.length;
    const errors = await send([message(foothold, 'late', { prev_events: [made] })]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeDefined();
    expect(peer.requests.length - before).toBeLessThanOrEqual(3);
    expect(await texts(alice, foothold.roomId)).toEqual([]);
  });

  it('8 (CVE-2024-31208): is asked a bounded number of times, however many of its events lack something', async () => {
    const foothold = await enter();
    peer.answer(`${v1}/get_missing_events`, () => ({ body: { events: [] } }));
    peer.answer(`${v1}/state/`, () => ({ body: { pdus: [], auth_chain: [] } }));
    const before = peer.requests.length;
    const late = Array.from({ length: 50 }, (_, index) => {
      const made = `$${String(index).padStart(43, 'm')}`;
      return message(foothold, `late ${index}`, { prev_events: [made] });
    });
    const errors = await send(late);
    expect(errors.filter((error) => error !== undefined)).toHaveLength(50);
    expect(peer.requests.length - before).toBeLessThanOrEqual(10);
    expect(await texts(alice, foothold.roomId)).toEqual([]);
  });

  it('E8: has nothing signed by make_leave but the leave that was asked for (CVE-2026-24471)', async () => {
    const roomId = '!trap:elsewhere.example';
    const refs = [`$${'a'.repeat(43)}`];
    const invite = buildEvent(
      {
        ...{ type: 'm.room.member', room_id: roomId, sender: mallory(), state_key: alice.userId },
        ...{ content: { membership: 'invite' }, origin_server_ts: Date.now(), depth: 3 },
        ...{ prev_events: refs, auth_events: refs },
      },
      version,
      peer.signer,
    );
    const uri = `${v2}/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(invite.eventId)}`;
    const content = { room_version: '10', event: invite.pdu as unknown as JsonObject, invite_room_state: [] };
    expect((await ask(peer, world, { method: 'PUT', uri, content })).status).toBe(200);
    const template = {
      ...{ type: 'm.room.power_levels', room_id: roomId, sender: alice.userId, state_key: '' },
      ...{ content: { users: { [mallory()]: 100 } }, depth: 4, prev_events: refs, auth_events: refs },
    };
    peer.answer(`${v1}/make_leave`, () => ({ body: { room_version: '10', event: template } }));
    peer.answer(`${v2}/send_leave`, () => ({ body: {} }));
    await alice.leave(roomId);
    expect(peer.requests.filter((asked) => asked.uri.includes('/make_leave/'))).toHaveLength(1);
    expect(peer.requests.filter((asked) => asked.uri.includes('/send_leave/'))).toEqual([]);
    const { rooms } = (await alice.call('GET', '/sync')) as { rooms: { invite: object } };
    expect(Object.keys(rooms.invite)).not.toContain(roomId);
  });
});
