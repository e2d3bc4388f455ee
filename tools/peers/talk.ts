import { setTimeout as delay } from 'node:timers/promises';

import type { TestClient } from '@seneschal/testing';
import { sql } from 'kysely';

import { say } from '../../apps/federation-gateway/test/sharing.ts';
import type { PeerServer } from './peer-server.ts';

/** `npm run test:peers` does more of everything than the other tests do beside it. */
export const isFull = process.env['SENESCHAL_PEERS'] === 'full';

/** Far more than anything takes on a busy machine. */
const patienceMs = 90_000;

/** Looks until what is seen is as it should be; answers what was seen last, for the test to judge. */
export async function eventually<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (isSo(seen) || Date.now() > end) return seen;
    await delay(50);
  }
}

/** Says so many things, one after the other; answers what. */
export async function sayMany(
  who: TestClient,
  roomId: string,
  what: string,
  count: number,
): Promise<string[]> {
  const bodies = Array.from({ length: count }, (_, index) => `${what} ${index + 1}`);
  for (const body of bodies) await say(who, roomId, body);
  return bodies;
}

interface Event {
  type: string;
  state_key?: string;
  event_id: string;
  content: { body?: string };
}

/** The messages that a user sees, the oldest first, however many there are. */
export async function allTexts(who: TestClient, roomId: string): Promise<string[]> {
  const found: string[] = [];
  for (let from = ''; ;) {
    const path = `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=500${from}`;
    const { chunk, end } = await who.call('GET', path);
    const messages = (chunk as Event[]).filter(({ type }) => type === 'm.room.message');
    found.push(...messages.map(({ content }) => content.body ?? ''));
    if (typeof end !== 'string') return found.reverse();
    from = `&from=${end}`;
  }
}

/** The event IDs of a room's state, by type and state key. */
export async function stateIn(who: TestClient, roomId: string): Promise<Record<string, string>> {
  const { body, status } = await who.request(
    'GET',
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`,
  );
  if (status !== 200) throw new Error(`The state cannot be read: ${status}.`);
  const events = body as unknown as Event[];
  return Object.fromEntries(
    events.map(({ type, state_key: key = '', event_id: id }) => [`${type} ${key}`, id]),
  );
}

/** What users of several servers see of a room: the messages, in any order, and the state. */
export async function seenBy(
  users: readonly TestClient[],
  roomId: string,
): Promise<{ texts: string[]; state: Record<string, string> }[]> {
  return Promise.all(
    users.map(async (who) => ({
      texts: (await allTexts(who, roomId)).sort(),
      state: await stateIn(who, roomId),
    })),
  );
}

/** Waits until all of them see the same, and so many messages; answers what each one sees. */
export function agreed(
  users: readonly TestClient[],
  roomId: string,
  count: number,
): ReturnType<typeof seenBy> {
  return eventually(
    () => seenBy(users, roomId),
    (seen) =>
      new Set(seen.map((one) => JSON.stringify(sorted(one)))).size === 1 && seen[0]?.texts.length === count,
  );
}

function sorted({ texts, state }: Awaited<ReturnType<typeof seenBy>>[number]): unknown {
  return [texts, Object.entries(state).sort(([a], [b]) => (a < b ? -1 : 1))];
}

export async function extremitiesOf({ database }: PeerServer, roomId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT cardinality(forward_extremities) AS count FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(database.tables());
  return rows[0]?.count ?? 0;
}

/** How often one server could not reach another since it last could. */
export async function failuresOf({ database }: PeerServer, other: PeerServer): Promise<number> {
  const { rows } = await sql<{ failures: number }>`
    SELECT failures FROM federation_destinations WHERE server_name = ${other.serverName}
  `.execute(database.tables());
  return rows[0]?.failures ?? 0;
}

/** How many events and EDUs wait at one server for another. */
export async function waitingFor({ database }: PeerServer, other: PeerServer): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT (SELECT count(*) FROM federation_queue WHERE server_name = ${other.serverName})
      + (SELECT count(*) FROM federation_edu_queue WHERE server_name = ${other.serverName}) AS count
  `.execute(database.tables());
  return rows[0]?.count ?? 0;
}
