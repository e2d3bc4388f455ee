import { allDelivered, startFederatedWorld, type TestClient, type World } from '@seneschal/testing';
import { sql } from 'kysely';

import { joinVia, membersOf, say, setState, stateOf } from './sharing.ts';

let here: World, there: World;
let admin: TestClient, alice: TestClient, bob: TestClient, carol: TestClient;
beforeAll(async () => {
  [here, there] = await Promise.all([startFederatedWorld(), startFederatedWorld()]);
  [admin, alice, bob, carol] = await Promise.all([
    here.register('admin', { admin: true }),
    here.register('alice'),
    there.register('bob'),
    there.register('carol'),
  ]);
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

/** As after a state resolution that went wrong: an entry of the state is gone here, and nowhere else. */
async function lose(roomId: string, type: string, stateKey: string): Promise<void> {
  const room = sql`(SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId})`;
  await sql`
    INSERT INTO roomserver_state_overrides (room_nid, type, state_key, position, event_position)
    SELECT room_nid, ${type}, ${stateKey}, last_position, NULL FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(here.sql);
  await sql`DELETE FROM roomserver_memberships WHERE room_nid = ${room} AND user_id = ${stateKey}`.execute(
    here.sql,
  );
  await sql`
    DELETE FROM roomserver_current_state WHERE room_nid = ${room} AND type = ${type} AND state_key = ${stateKey}
  `.execute(here.sql);
  // What is remembered of the state is of another position from here on.
  await sql`UPDATE roomserver_rooms SET state_position = state_position - 1 WHERE room_id = ${roomId}`.execute(
    here.sql,
  );
}

async function shared(version: string): Promise<string> {
  const roomId = await bob.createRoom({ preset: 'public_chat', room_version: version });
  await setState(bob, roomId, 'm.room.topic', { topic: 'Whales' });
  await carol.join(roomId);
  await joinVia(alice, roomId, there);
  await say(bob, roomId, 'hello');
  await allDelivered(here, there);
  return roomId;
}

const download = (roomId: string): string =>
  `/_dendrite/admin/downloadState/${encodeURIComponent(there.serverName)}/${encodeURIComponent(roomId)}`;

describe('the state of a room that is broken here', () => {
  it.each(['1', '10', '12'])('is that of the other server again (room version %s)', async (version) => {
    const roomId = await shared(version);
    await lose(roomId, 'm.room.member', carol.userId);
    await lose(roomId, 'm.room.topic', '');
    expect(await membersOf(alice, roomId)).toEqual([alice.userId, bob.userId].sort());
    const rehearsed = (await admin.request('POST', `${download(roomId)}?dry_run=true`)).body;
    const changed = (rehearsed['changes'] as { type: string; before: unknown }[]).map((one) => [
      one.type,
      one.before,
    ]);
    expect(changed.sort()).toEqual([
      ['m.room.member', null],
      ['m.room.topic', null],
    ]);
    const answer = await admin.request('POST', download(roomId));
    expect([answer.status, answer.body]).toEqual([200, {}]);
    expect(await membersOf(alice, roomId)).toEqual([alice.userId, bob.userId, carol.userId].sort());
    expect(await stateOf(alice, roomId, 'm.room.topic')).toEqual({ topic: 'Whales' });
    // Both ways it goes on, and events for carol's server are sent to it.
    await say(alice, roomId, 'from here');
    await say(carol, roomId, 'from there');
    await allDelivered(here, there);
    expect((await admin.request('POST', `${download(roomId)}?dry_run=true`)).body['changes']).toEqual([]);
  });

  it('is repaired beside an event here that cannot be read', async () => {
    const roomId = await shared('12');
    await lose(roomId, 'm.room.member', carol.userId);
    await sql`
      UPDATE roomserver_events e SET json = 'no JSON' FROM roomserver_rooms r
      WHERE r.room_nid = e.room_nid AND r.room_id = ${roomId} AND e.type = 'm.room.history_visibility'
    `.execute(here.sql);
    const answer = await admin.request('POST', download(roomId));
    expect([answer.status, answer.body]).toEqual([200, {}]);
    expect(await membersOf(alice, roomId)).toContain(carol.userId);
  });
});
