import { type Job, roomserver } from '@seneschal/contracts';
import { type Kysely, sql } from 'kysely';

import { makeRoom, type MadeRoom, requestedBy } from './rooms.ts';
import type { Servers } from './servers.ts';
import type { Ground } from './stand.ts';

/** A room of so many local users, who are all to leave it. */
export async function evacuation(servers: Servers, members: number): Promise<Ground & MadeRoom> {
  const room = await makeRoom(servers, members);
  return {
    ...room,
    start: () => evacuate(servers, room.roomId),
    end: (jobId) => endState(servers, jobId, room.roomId),
  };
}

function evacuate({ jobs }: Servers, roomId: string): Promise<{ jobId: string }> {
  return jobs.start(roomserver.evacuateRoomJob, { roomId, requestedBy, block: false }, { requestedBy });
}

/** Everything that an evacuation is to have come to; the same whatever was done to the server meanwhile. */
interface EndState {
  state: Job['state'];
  affected: string[];
  failed: string[];
  stillIn: string[];
  /** Leave events of a user by themselves, where they are not one. */
  wrongLeaves: string[];
  extremities: number;
  isOneChain: boolean;
}

async function endState({ jobs, database }: Servers, jobId: string, roomId: string): Promise<EndState> {
  const job = await jobs.wait(jobId, 90_000);
  const { rows: items } = await jobs.reads.items(jobId, {}, { limit: 10_000 });
  const of = (state: string): string[] =>
    items
      .filter((item) => item.state === state)
      .map(({ item }) => item)
      .sort();
  const db = database.tables<unknown>();
  return {
    state: job?.state ?? 'failed',
    affected: of('done'),
    failed: of('failed'),
    ...(await roomState(db, roomId)),
  };
}

async function roomState(
  db: Kysely<unknown>,
  roomId: string,
): Promise<Pick<EndState, 'stillIn' | 'wrongLeaves' | 'extremities' | 'isOneChain'>> {
  const inside = await sql<{ user_id: string }>`
    SELECT user_id FROM roomserver_memberships JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId} AND membership = 'join' ORDER BY user_id`.execute(db);
  const room = await sql<{ extremities: number }>`
    SELECT cardinality(forward_extremities) AS extremities FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(db);
  const events = await sql<{ event_id: string; state_key: string; json: string }>`
    SELECT event_id, state_key, json FROM roomserver_events JOIN roomserver_rooms USING (room_nid)
    WHERE room_id = ${roomId} ORDER BY position`.execute(db);
  const readable = events.rows.filter(({ json }) => json.startsWith('{'));
  const leaves = readable.filter(({ json }) => json.includes('"membership":"leave"'));
  const count = (user: string): number => leaves.filter((event) => event.state_key === user).length;
  const parents = readable.map(({ json }) => (JSON.parse(json) as { prev_events: string[] }).prev_events);
  return {
    stillIn: inside.rows.map((row) => row.user_id),
    wrongLeaves: [...new Set(leaves.map((event) => event.state_key))].filter((user) => count(user) !== 1),
    extremities: room.rows[0]?.extremities ?? 0,
    isOneChain:
      new Set(parents.map(String)).size === parents.length && parents.every((one) => one.length <= 1),
  };
}
