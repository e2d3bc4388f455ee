import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { WakeBus } from '@seneschal/bus';
import { roomserver, type RoomserverFact } from '@seneschal/contracts';
import { appendToLog, transact } from '@seneschal/database';
import { unknown } from '@seneschal/matrix';

import { isGone } from '../storage/deletions.ts';
import { forget } from '../storage/memberships.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.forgetRoom.input>;

export interface ForgetRoomDeps {
  db: Kysely<RoomserverTables>;
  bus: WakeBus;
}

/**
 * The room no longer shows for a user who is out of it. 400 M_UNKNOWN while the user is in (specification). Of a
 * room that was purged there is nothing to forget.
 */
export async function forgetRoom(deps: ForgetRoomDeps, input: Input): Promise<Record<string, never>> {
  const position = await transact(deps.db, async (transaction) => {
    if (!(await forget(transaction, input.roomId, input.userId))) {
      if (await isGone(transaction, input.roomId)) return 0;
      throw unknown(400, 'Leave the room before you forget it.');
    }
    const fact: RoomserverFact = { kind: 'room_forgotten', roomId: input.roomId, userId: input.userId };
    return appendToLog(transaction, 'roomserver_output', [fact]);
  });
  if (position > 0) deps.bus.wake(roomserver.roomserverOutput, position);
  return {};
}
