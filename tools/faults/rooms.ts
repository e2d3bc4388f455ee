import { roomserver } from '@seneschal/contracts';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';

import { type Filling, fillRoom } from '../shared/big-room.ts';
import { parallel } from '../shared/parallel.ts';
import type { Servers } from './servers.ts';

export const requestedBy = '@admin:test.example';

const creator = '@a:test.example';

export interface MadeRoom {
  roomId: string;
  /** The first one made it. */
  users: string[];
}

/** A room with so many local members, none of whom needs an account to be one; `atOnce` of them join together. */
export async function makeRoom(
  { bus }: Servers,
  members: number,
  { name, atOnce = members }: { name?: string | undefined; atOnce?: number } = {},
): Promise<MadeRoom> {
  const { roomId } = await bus.call(roomserver.createRoom, {
    creator,
    profile: {},
    preset: 'public_chat',
    listed: false,
    isDirect: false,
    invite: [],
    initialState: [],
    creationContent: {},
    ...(name === undefined ? {} : { name }),
  });
  const users = Array.from(
    { length: members - 1 },
    (_, index) => `@m${String(index).padStart(4, '0')}:test.example`,
  );
  await parallel(users, atOnce, async (user) => {
    await bus.call(roomserver.changeMembership, { roomId, sender: user, target: user, action: 'join' });
  });
  return { roomId, users: [creator, ...users] };
}

/** Sends a message; answers its event ID. */
export async function say({ bus }: Servers, { roomId, users }: MadeRoom, body: string): Promise<string> {
  const message = {
    roomId,
    sender: users[0] ?? '',
    type: 'm.room.message',
    content: { msgtype: 'm.text', body },
  };
  return (await bus.call(roomserver.sendEvent, message)).eventId;
}

export async function fill({ databaseUrl }: Servers, filling: Filling): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await fillRoom(client, filling);
  } finally {
    await client.end();
  }
}

export async function numberOf(db: Kysely<unknown>, roomId: string): Promise<number> {
  const { rows } = await sql<{ room_nid: number }>`
    SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(db);
  return rows[0]?.room_nid ?? 0;
}

/** Waits until every consumer of the room server's log has read all of it. */
export async function consumersRead({ database }: Servers): Promise<void> {
  const { consumers } = roomserver.roomserverOutput;
  for (let behind = 1; behind > 0;) {
    const { rows } = await sql<{ behind: number }>`
      SELECT count(*) AS behind FROM bus_checkpoints
      WHERE consumer = ANY(${[...consumers]}) AND position < (SELECT max(position) FROM roomserver_output)
    `.execute(database.tables());
    behind = rows[0]?.behind ?? 0;
  }
}
