import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { forbidden, roomVersion } from '@seneschal/matrix';

import { enterRoom } from '../room/joined-state.ts';
import { asReceived } from '../room/received-event.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { dropEmptyRoom, ensureRoom } from '../storage/outside-rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.storeJoinedRoom.input>;
type Output = z.infer<typeof roomserver.storeJoinedRoom.output>;

export interface StoreJoinedRoomDeps {
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
}

/**
 * Stores a room that was joined through another server, in one transaction. Naturally idempotent: a join that is there
 * is not stored again. M_FORBIDDEN when the state that was told does not allow it, or the room is blocked.
 */
export async function storeJoinedRoom(deps: StoreJoinedRoomDeps, input: Input): Promise<Output> {
  const version = roomVersion(input.roomVersion);
  const event = asReceived(input.event, version);
  const state = input.state.map((one) => asReceived(one, version));
  const authChain = input.authChain.map((one) => asReceived(one, version));
  const isNew = await ensureRoom(deps.db, input.roomId, input.roomVersion);
  try {
    const refused = await deps.writer.run(input.roomId, {
      users: [event.pdu.state_key ?? ''],
      isAlone: true,
      apply: ({ draft, db }) => {
        if (draft.room.isBlocked) throw forbidden('An administrator has blocked this room.');
        draft.foreign.via = { origin: input.origin, isRelayed: false };
        return enterRoom(db, draft, { event, state, authChain });
      },
    });
    return {
      eventId: event.eventId,
      refused: [...refused].map(([eventId, reason]) => ({ eventId, reason })),
    };
  } catch (error) {
    if (isNew) await dropEmptyRoom(deps.db, input.roomId);
    throw error;
  }
}
