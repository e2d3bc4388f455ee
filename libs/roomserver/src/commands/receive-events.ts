import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { isMatrixError, type MatrixError, notFound, roomVersion } from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';
import type { Kysely } from 'kysely';

import { hideOutliers } from '../room/outliers.ts';
import { receiveBatch, type Verdict } from '../room/receive-batch.ts';
import { usersOf } from '../room/receive.ts';
import { asReceived } from '../room/received-event.ts';
import type { ReceivedEvent } from '../room/room-event.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { versionOfRoom } from '../storage/rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.receiveEvents.input>;
type Output = z.infer<typeof roomserver.receiveEvents.output>;
type Given = ReceivedEvent & { stateBefore?: readonly string[] | undefined };

export interface ReceiveEventsDeps {
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
  logger: Pick<Logger, 'error'>;
}

/**
 * Takes events of other servers into a room, in their order. Each has a verdict of its own; one that cannot be stored
 * stops no other. What was received before is known, so it may be repeated. M_NOT_FOUND when the room is unknown,
 * M_FORBIDDEN while it is being deleted.
 */
export async function receiveEvents(deps: ReceiveEventsDeps, input: Input): Promise<Output> {
  const id = await versionOfRoom(deps.db, input.roomId);
  if (id === undefined) throw unknownRoom();
  const version = roomVersion(id);
  const outliers = input.outliers.map((pdu) => asReceived(pdu, version));
  if (outliers.length > 0) await storeOutliers(deps, input, outliers);
  const pending: Given[] = input.events.map(({ pdu, stateBefore }) => ({
    ...asReceived(pdu, version),
    stateBefore,
  }));
  const results: Output['results'] = [];
  while (pending.length > 0) {
    const verdicts = await receiveSome(deps, input, pending);
    for (const [index, verdict] of verdicts.entries()) {
      results.push({ eventId: pending[index]?.eventId ?? '', ...verdict });
    }
    pending.splice(0, verdicts.length);
  }
  return { results };
}

function unknownRoom(): MatrixError {
  return notFound('This server is not in the room.');
}

async function storeOutliers(
  deps: ReceiveEventsDeps,
  input: Input,
  outliers: readonly ReceivedEvent[],
): Promise<void> {
  await deps.writer.run(input.roomId, {
    users: [],
    isAlone: true,
    unknownRoom: unknownRoom(),
    apply: ({ draft, db }) => hideOutliers(db, draft, outliers),
  });
}

/** One transaction. When it cannot be stored, the first event alone is tried, and given up if it is its fault. */
async function receiveSome(
  deps: ReceiveEventsDeps,
  input: Input,
  events: readonly Given[],
): Promise<Verdict[]> {
  const users = events.flatMap(({ pdu }) => usersOf(pdu));
  try {
    return await deps.writer.run(input.roomId, {
      users,
      isAlone: true,
      unknownRoom: unknownRoom(),
      apply: async ({ draft, db }) => {
        draft.foreign.via = { origin: input.origin, isRelayed: input.isRelayed };
        return receiveBatch(db, draft, events);
      },
    });
  } catch (error) {
    if (isMatrixError(error)) throw error;
    if (events.length > 1) return receiveSome(deps, input, events.slice(0, 1));
    deps.logger.error({ error, roomId: input.roomId }, 'an event of another server could not be stored');
    return [{ outcome: 'rejected', reason: 'The event could not be stored' }];
  }
}
