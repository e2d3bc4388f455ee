import type { Kysely } from 'kysely';
import type { z } from 'zod';

import type { roomserver } from '@seneschal/contracts';
import { forbidden, roomVersion } from '@seneschal/matrix';

import { asReceived } from '../room/received-event.ts';
import type { RoomWriter } from '../room/room-writer.ts';
import { dropEmptyRoom, ensureRoom } from '../storage/outside-rooms.ts';
import type { RoomserverTables } from '../storage/tables.ts';

type Input = z.infer<typeof roomserver.storeOutsideMembership.input>;

export interface StoreOutsideMembershipDeps {
  db: Kysely<RoomserverTables>;
  writer: Pick<RoomWriter, 'run'>;
}

/**
 * Stores what a local user is in a room that lives elsewhere. Naturally idempotent. M_FORBIDDEN for an invite to a
 * blocked room, and while the room is being deleted.
 */
export async function storeOutsideMembership(
  deps: StoreOutsideMembershipDeps,
  input: Input,
): Promise<{ eventId: string }> {
  const { eventId, ...event } = asReceived(input.event, roomVersion(input.roomVersion));
  const userId = event.pdu.state_key ?? '';
  const isNew = await ensureRoom(deps.db, input.roomId, input.roomVersion);
  try {
    await deps.writer.run(input.roomId, {
      users: [userId],
      isAlone: true,
      apply: ({ draft }) => {
        if (draft.member(userId)?.event?.eventId === eventId) return;
        if (draft.room.isBlocked && event.pdu.content['membership'] !== 'leave') {
          throw forbidden('An administrator has blocked this room.');
        }
        draft.foreign.via = { origin: '', isRelayed: false };
        draft.foreign.inviteStates.push({ userId, events: input.strippedState });
        draft.admit({ eventId, ...event }, true);
      },
    });
  } catch (error) {
    if (isNew) await dropEmptyRoom(deps.db, input.roomId);
    throw error;
  }
  return { eventId };
}
