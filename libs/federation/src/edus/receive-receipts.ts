import type { CallBus } from '@seneschal/bus';
import { type RoomserverForFederation, userapi } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { allowedRooms, type AllowedRoomsDeps } from './allowed-rooms.ts';
import { text, userOf } from './shapes.ts';

export interface ReceiveReceiptsDeps {
  bus: CallBus;
  roomserver: AllowedRoomsDeps['roomserver'] & Pick<RoomserverForFederation, 'joinedOf' | 'eventPositions'>;
}

/** Server-server API, `m.receipt`: of a room, by user. Receipts that are for the user alone do not leave a server. */
const ofRoom = z.object({ 'm.read': z.record(z.string(), z.unknown()) });
const ofUser = z.object({
  event_ids: z.array(text).min(1).max(10),
  data: z.object({
    ts: z.int().min(0),
    thread_id: text.refine((thread) => thread === 'main' || thread.startsWith('$')).optional(),
  }),
});

interface Told {
  roomId: string;
  userId: string;
  threadId: string | null;
  eventIds: string[];
  ts: number;
}

/** Receipts of one transaction at the most. */
const most = 2000;

/**
 * Takes receipts of users of the server that sent them, in rooms that they are joined to, for events that are there.
 * What is not so is passed over, one by one.
 */
export async function receiveReceipts(
  deps: ReceiveReceiptsDeps,
  origin: string,
  contents: readonly JsonObject[],
): Promise<void> {
  const user = userOf(origin);
  const told = contents.flatMap((content) => readReceipts(content, user)).slice(0, most);
  const allowed = await allowedRooms(
    deps,
    origin,
    told.map(({ roomId }) => roomId),
  );
  const members = await deps.roomserver.joinedOf(told.filter(({ roomId }) => allowed.has(roomId)));
  const events = members
    .flatMap(({ eventIds, ...receipt }) => eventIds.map((eventId) => ({ ...receipt, eventId })))
    .slice(0, most);
  const positions = await deps.roomserver.eventPositions(events);
  const receipts = events.flatMap((event) => {
    const eventPosition = positions.get(event.eventId);
    return eventPosition === undefined ? [] : [{ ...event, eventPosition }];
  });
  if (receipts.length > 0) await deps.bus.call(userapi.receiveReceipts, { receipts });
}

function readReceipts(content: JsonObject, user: ReturnType<typeof userOf>): Told[] {
  return Object.entries(content).flatMap(([roomId, room]) =>
    Object.entries(ofRoom.safeParse(room).data?.['m.read'] ?? {}).flatMap(([userId, receipt]) => {
      const { data } = ofUser.safeParse(receipt);
      const isTold = text.safeParse(roomId).success && user.safeParse(userId).success;
      if (data === undefined || !isTold) return [];
      const { event_ids: eventIds, data: more } = data;
      return [{ roomId, userId, eventIds, ts: more.ts, threadId: more.thread_id ?? null }];
    }),
  );
}
