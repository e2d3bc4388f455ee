import type { Kysely } from 'kysely';

import type { CallBus } from '@seneschal/bus';
import { federation } from '@seneschal/contracts';
import { isMatrixError } from '@seneschal/matrix';

import { federatedRoom, joinedServers } from '../queries/federation/federated-room.ts';
import type { RoomserverTables } from '../storage/tables.ts';

/**
 * Whether a room lives on other servers alone, so that its local users (who are invited, or knock) can only leave it
 * with the help of one of them.
 */
export async function livesElsewhere(db: Kysely<RoomserverTables>, roomId: string): Promise<boolean> {
  const room = await federatedRoom({ db }, roomId);
  return room?.isElsewhere === true && !room.isClosed;
}

/** Has a user leave such a room. Answers why not, or undefined. */
export async function leaveElsewhere(
  { bus }: { bus: CallBus },
  roomId: string,
  userId: string,
): Promise<string | undefined> {
  try {
    await bus.call(federation.leaveRoom, { roomId, userId });
    return undefined;
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    return error.message;
  }
}

/**
 * Has federation take over what is to be told to other servers of a room, before the room is gone. Nothing to do for
 * rooms that no other server is in.
 */
export async function handOver(
  { db, bus }: { db: Kysely<RoomserverTables>; bus: CallBus },
  roomId: string,
): Promise<void> {
  const servers = await joinedServers({ db }, roomId);
  if (servers.length > 0) await bus.call(federation.takeOutgoing, {});
}
