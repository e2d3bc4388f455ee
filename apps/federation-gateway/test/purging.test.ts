import { buildEvent, type JsonObject, roomVersion } from '@seneschal/matrix';
import { type TestAnswer, type TestClient } from '@seneschal/testing';
import { sql } from 'kysely';

import { ask, deliver } from './asking.ts';
import { enterRoom, eventOf, type Foothold, idsOf, mallory } from './foothold.ts';
import { type Neighbours, openNeighbours } from './neighbours.ts';

const v1 = '/_matrix/federation/v1';
const v2 = '/_matrix/federation/v2';

let admin: TestClient;
let { world, peer, alice } = {} as Neighbours;
openNeighbours((neighbours) => ({ world, peer, alice } = neighbours));
beforeAll(async () => {
  admin = await world.register('admin', { admin: true });
});

let messages = 0;

/** What is answered on an event of the room. */
async function send(foothold: Foothold): Promise<string | undefined> {
  messages += 1;
  const pdu = eventOf(peer, foothold, { type: 'm.room.message', content: { body: `${messages}` } });
  const results = await deliver(peer, world, { pdus: [pdu] });
  return results[idsOf([pdu])[0] ?? '']?.error;
}

function invite({ roomId }: Foothold): Promise<TestAnswer> {
  const refs = [`$${'a'.repeat(43)}`];
  const proto = {
    ...{ type: 'm.room.member', room_id: roomId, sender: mallory(peer), state_key: alice.userId },
    ...{ content: { membership: 'invite' }, origin_server_ts: Date.now(), depth: 30 },
    ...{ prev_events: refs, auth_events: refs },
  };
  const { pdu, eventId } = buildEvent(proto, roomVersion('10'), peer.signer);
  const uri = `${v2}/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`;
  const content = { room_version: '10', event: pdu as unknown as JsonObject };
  return ask(peer, world, { method: 'PUT', uri, content });
}

/** Everything that another server may try with a room; each with what it is answered. */
async function tryAll(foothold: Foothold): Promise<unknown> {
  const { join } = foothold;
  const [room, event] = [encodeURIComponent(foothold.roomId), encodeURIComponent(join.eventId)];
  const user = encodeURIComponent(mallory(peer));
  const content = join.pdu as unknown as JsonObject;
  const answers = await Promise.all([
    ...['join', 'leave', 'knock'].map((what) =>
      ask(peer, world, { uri: `${v1}/make_${what}/${room}/${user}?ver=10` }),
    ),
    ask(peer, world, { method: 'PUT', uri: `${v2}/send_join/${room}/${event}`, content }),
    ...[`state/${room}?event_id=${event}`, `backfill/${room}?v=${event}&limit=5`, `hierarchy/${room}`].map(
      (path) => ask(peer, world, { uri: `${v1}/${path}` }),
    ),
  ]);
  return {
    send: await send(foothold),
    asked: [...new Set(answers.map(({ status, body }) => `${status} ${String(body['errcode'])}`))],
    invited: (await invite(foothold)).body['errcode'],
  };
}

const refused = {
  send: 'The room is being deleted on this server.',
  asked: ['404 M_NOT_FOUND'],
  invited: 'M_FORBIDDEN',
};

const isThere = async (roomId: string, condition = sql`true`): Promise<boolean> => {
  const found = await sql`SELECT FROM roomserver_rooms WHERE room_id = ${roomId} AND ${condition}`.execute(
    world.sql,
  );
  return found.rows.length > 0;
};

/** Purges a room, with the deletion held where it first writes to a table; releases it after `meanwhile`. */
async function purgeHeldAt(table: string, roomId: string, meanwhile: () => Promise<void>): Promise<void> {
  const purged = await world.sql.transaction().execute(async (holding) => {
    await sql`LOCK TABLE ${sql.table(table)} IN SHARE MODE`.execute(holding);
    const path = `/_dendrite/admin/purgeRoom/${encodeURIComponent(roomId)}?evacuate=false`;
    const asked = admin.request('POST', path);
    await meanwhile();
    // Not awaited here: it ends when the lock is released.
    return { asked };
  });
  expect((await purged.asked).status).toBe(200);
}

describe('G9: while a room is purged', () => {
  it('other servers are refused cleanly as long as it is there, and nothing of theirs is kept', async () => {
    const foothold = await enterRoom({ world, peer, alice });
    expect(await send(foothold)).toBeUndefined();
    await purgeHeldAt('roomserver_departures', foothold.roomId, async () => {
      while (!(await isThere(foothold.roomId, sql`is_closed`)));
      expect(await tryAll(foothold)).toEqual(refused);
    });
    expect(await isThere(foothold.roomId)).toBe(false);
  });

  it('they are refused just so when it is gone and its rows are not, and make no stub of it', async () => {
    const foothold = await enterRoom({ world, peer, alice });
    await purgeHeldAt('roomserver_events', foothold.roomId, async () => {
      while (await isThere(foothold.roomId));
      expect(await tryAll(foothold)).toEqual(refused);
      expect(await isThere(foothold.roomId)).toBe(false);
    });
    await world.settled();
    expect(await isThere(foothold.roomId)).toBe(false);
    const hidden = await sql`
      SELECT FROM roomserver_hidden_events h WHERE NOT EXISTS (
        SELECT FROM roomserver_rooms r WHERE r.room_nid = h.room_nid
      )
    `.execute(world.sql);
    expect(hidden.rows).toEqual([]);
    expect(await send(foothold)).toBe('This server is not in the room.');
  });
});
