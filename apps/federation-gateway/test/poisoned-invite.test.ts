import { buildEvent, type JsonObject, roomVersion } from '@seneschal/matrix';
import type { TestClient } from '@seneschal/testing';

import { ask } from './asking.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';

const version = roomVersion('10');

let { world, peer, alice } = {} as Neighbours;
let admin: TestClient;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));
beforeAll(async () => {
  admin = await world.register('admin', { admin: true });
});

interface Stripped {
  type: unknown;
  state_key: unknown;
  sender: unknown;
  content: unknown;
}

/** Invites alice to a room of the peer's, signed as it should be; answers the status. */
async function invite(roomId: string, content: object, told: readonly unknown[]): Promise<number> {
  const refs = [`$${'a'.repeat(43)}`];
  const { pdu, eventId } = buildEvent(
    {
      ...{ type: 'm.room.member', room_id: roomId, sender: `@mallory:${peer.serverName}` },
      ...{ state_key: alice.userId, content: { ...content, membership: 'invite' } },
      ...{ origin_server_ts: Date.now(), depth: 3, prev_events: refs, auth_events: refs },
    },
    version,
    peer.signer,
  );
  const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
  const body = { room_version: '10', event: pdu, invite_room_state: told } as unknown as JsonObject;
  return (await ask(peer, world, { method: 'PUT', uri, content: body })).status;
}

async function invites(): Promise<Record<string, { invite_state: { events: Stripped[] } }>> {
  const { rooms } = await alice.call('GET', '/sync');
  return (rooms as { invite: Record<string, { invite_state: { events: Stripped[] } }> }).invite;
}

const name = { type: 'm.room.name', state_key: '', sender: '@m:x', content: { name: 'Club' } };
const poison: [string, object, readonly unknown[]][] = [
  ['no event', {}, [{}]],
  ['what is no object', {}, ['x', null, 7, []]],
  ['a type that is a number', {}, [{ ...name, type: 1 }]],
  ['a state key that is an object', {}, [{ ...name, state_key: {} }]],
  ['a sender that is a list', {}, [{ ...name, sender: ['@m:x'] }]],
  ['content that is text', {}, [{ ...name, content: 'Club' }]],
  ['a name that is an object', {}, [{ ...name, content: { name: { toString: 1 } } }]],
  ['a kind of room that is a list', {}, [{ ...name, type: 'm.room.create', content: { type: [] } }]],
  ['a key of a prototype', {}, [{ ...name, content: JSON.parse('{"__proto__": {"name": 1}}') as object }]],
  ['a display name that is a number', { displayname: 1, avatar_url: [], is_direct: 'yes' }, [name]],
  ['text with NUL', { reason: 'a\u0000b' }, [{ ...name, content: { name: '\u0000' } }]],
  ['relations that are none', { 'm.relates_to': 5, third_party_invite: 'x' }, [name]],
];

describe('an invite from another server (CVE-2024-52815)', () => {
  it('harms no sync, whatever it tells of the room, and can be turned down like any other', async () => {
    for (const [index, [what, content, told]] of poison.entries()) {
      const status = await invite(`!poison${index}:${peer.serverName}`, content, told);
      expect([what, status < 500]).toEqual([what, true]);
    }
    const honest = `!honest:${peer.serverName}`;
    expect(await invite(honest, {}, [name])).toBe(200);
    const shown = await invites();
    expect(Object.keys(shown)).toContain(honest);
    expect(shown[honest]?.invite_state.events).toContainEqual(name);
    for (const { type, state_key: key, sender, content } of Object.values(shown).flatMap(
      ({ invite_state: told }) => told.events,
    )) {
      expect([type, key, sender].map((each) => typeof each)).toEqual(['string', 'string', 'string']);
      expect(Object.prototype.toString.call(content)).toBe('[object Object]');
    }

    const [first = '', ...others] = Object.keys(shown);
    await alice.leave(first);
    expect(Object.keys(await invites()).sort()).toEqual(others.sort());
    const path = `/_dendrite/admin/evacuateUser/${encodeURIComponent(alice.userId)}`;
    const { status, body } = await admin.request('POST', path);
    expect([status, new Set(body['affected'] as string[])]).toEqual([200, new Set(others)]);
    expect(await invites()).toEqual({});
  });
});
