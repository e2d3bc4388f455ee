import type { HttpClient } from '../shared/client.ts';
import { createRoom, joinRoom, registerUser, text, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import { Actor } from './actor.ts';
import type { Stage } from './stage.ts';
import { eventsOf, keyOf, View } from './view.ts';

export interface CrowdOptions {
  clients: number;
  /** There is one room of each. */
  roomVersions: readonly string[];
}

/** Users who are in the same rooms, each with a client that writes and one that only follows. */
export interface Crowd {
  roomIds: string[];
  users: User[];
  actors: Actor[];
  views: View[];
}

/** So many of the users have the power to change power levels, and so many never leave. */
const admins = 4;
const staying = 8;

export async function gather(
  { admin, clients, secret }: Stage,
  { clients: count, roomVersions }: CrowdOptions,
): Promise<Crowd> {
  const users: User[] = [];
  const indexes = Array.from({ length: count }, (_, index) => index);
  await parallel(indexes, 8, async (index) => {
    users[index] = await registerUser(admin, secret, `user-${index}`);
  });
  const at = (index: number): HttpClient => clients[index % clients.length] as HttpClient;
  const roomIds: string[] = [];
  for (const version of roomVersions) roomIds.push(await makeRoom(at(0), users, version));
  const places = users.flatMap((user) => roomIds.map((roomId) => ({ user, roomId })));
  await parallel(places, 8, ({ user, roomId }, index) => joinRoom(at(index), user, roomId));
  const views = users.map((user, index) => new View(at(index), user));
  await Promise.all(views.map((view) => view.sync(0)));
  const userIds = users.slice(admins).map(({ userId }) => userId);
  const actors = users.map((user, index) => {
    const isAdmin = index < admins;
    return new Actor({ user, clients, roomIds, userIds, isAdmin, stays: index < staying, seed: index + 1 });
  });
  return { roomIds, users, actors, views };
}

/** The first user makes it. */
function makeRoom(client: HttpClient, users: readonly User[], version: string): Promise<string> {
  const [creator, ...others] = users.slice(0, admins);
  if (creator === undefined) throw new Error('There are no users.');
  // Creators are above all levels from version 12 on, and are not to be named among them.
  const named = Number(version) < 12 ? [creator, ...others] : others;
  return createRoom(client, creator, {
    room_version: version,
    power_level_content_override: {
      users: Object.fromEntries(named.map(({ userId }) => [userId, 100])),
    },
  });
}

/** Lets everybody write for so long, then come back into all rooms and be told of everything. */
export async function riot({ actors, views }: Crowd, ms: number): Promise<void> {
  const end = Date.now() + ms;
  const goesOn = (): boolean => Date.now() < end;
  await Promise.all([
    ...actors.map((actor) => actor.act(goesOn)),
    ...views.map((view) => view.follow(goesOn)),
  ]);
  await Promise.all(actors.map((actor) => actor.comeBack()));
  await Promise.all(views.map((view) => view.catchUp()));
}

/** The state of a room as the server answers it: by type and state key, the event ID. */
export async function stateOf(client: HttpClient, user: User, roomId: string): Promise<Map<string, string>> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`;
  const { body } = await client.request('GET', path, { token: user.token });
  return new Map(eventsOf(body).map((event) => [keyOf(event.type, text(event.state_key)), event.event_id]));
}
