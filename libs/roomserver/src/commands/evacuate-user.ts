import type { Kysely, RawBuilder } from 'kysely';
import type { z } from 'zod';

import type { CallBus, CommandContext } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { isMatrixError } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';

import { leaveElsewhere, livesElsewhere } from '../room/leave-elsewhere.ts';
import { leaveRoom } from '../room/leave-room.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { roomsToLeave } from '../storage/memberships.ts';
import { ifStored } from '../storage/store-draft.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.evacuateUser.input>;
type Output = z.infer<typeof roomserver.evacuateUser.output>;

const part = roomserver.evacuateUser.output;

/** Rooms that are left at the same time. */
const concurrency = 4;

export interface EvacuateUserDeps {
  bus: CallBus;
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
  logger: Logger;
}

/**
 * The user leaves every joined room, then turns down every invite and knock, each room in a transaction of
 * its own. A room that cannot be left is named with the reason and stops no other. Repeated after a crash it
 * goes on where it stopped and answers for the whole.
 */
export async function evacuateUser(
  deps: EvacuateUserDeps,
  input: Input,
  context: Pick<CommandContext, 'parts' | 'partStatement'>,
): Promise<Output> {
  const earlier = (await context.parts()).map((one) => part.parse(one));
  const rooms = await roomsToLeave(deps.db, input.userId);
  const left = await leaveRooms(deps, input, rooms, (roomId, bytes) =>
    context.partStatement(roomId, { affected: [roomId], failed: [], bytes }, ifStored),
  );
  const affected = earlier.flatMap((one) => one.affected);
  const failed: Output['failed'] = [];
  let bytes = earlier.reduce((sum, one) => sum + one.bytes, 0);
  for (const roomId of rooms) {
    const { reason, bytes: more = 0 } = left.get(roomId) ?? {};
    bytes += more;
    if (reason === undefined) affected.push(roomId);
    else failed.push({ roomId, reason });
  }
  return { affected: [...new Set(affected)], failed, bytes };
}

type LeaveDeps = Pick<EvacuateUserDeps, 'db' | 'bus' | 'writer' | 'logger'>;
type Leaving = Pick<Input, 'userId' | 'dryRun'>;
/** A statement to take effect with the leaving of a room, guarded by `ifStored`. */
type Also = (roomId: string, bytes: number) => RawBuilder<unknown>;

/** What came of one room: why it could not be left, or how large the events are by which it was. */
interface Left {
  reason?: string | undefined;
  bytes: number;
}

/** Leaves rooms, some at a time. */
export async function leaveRooms(
  deps: LeaveDeps,
  input: Leaving,
  roomIds: readonly string[],
  also: Also,
): Promise<Map<string, Left>> {
  const left = new Map<string, Left>();
  const pending = [...roomIds];
  const work = async (): Promise<void> => {
    for (let roomId = pending.shift(); roomId !== undefined; roomId = pending.shift()) {
      left.set(roomId, await leave(deps, input, also, roomId));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return left;
}

async function leave(deps: LeaveDeps, input: Leaving, also: Also, roomId: string): Promise<Left> {
  try {
    if (await livesElsewhere(deps.db, roomId)) {
      const reason = input.dryRun ? undefined : await leaveElsewhere(deps, roomId, input.userId);
      return { reason, bytes: 0 };
    }
    return await deps.writer.run<Left>(roomId, {
      users: [input.userId],
      isAlone: true,
      isRehearsal: input.dryRun,
      apply: ({ draft }) => {
        const membership = draft.membership(input.userId);
        // Another leave was faster: the user is out, which is what was asked for.
        if (membership === 'leave' || membership === 'ban') return { bytes: 0 };
        return { reason: leaveRoom(draft, input.userId), bytes: draft.bytes };
      },
      also: ({ reason, bytes }) => (reason === undefined ? also(roomId, bytes) : undefined),
    });
  } catch (error) {
    if (isMatrixError(error)) return { reason: error.message, bytes: 0 };
    deps.logger.error({ roomId, error }, 'a room could not be left');
    return { reason: 'The room cannot be read: the server log says why.', bytes: 0 };
  }
}
