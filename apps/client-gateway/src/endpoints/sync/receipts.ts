import type { CallBus } from '@seneschal/bus';
import { type RoomserverForClient, userapi } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { invalidParam, notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { empty, identifier, roomParams } from '../rooms/shapes.ts';
import { requireJoined } from './require-joined.ts';

interface Deps {
  bus: CallBus;
  roomserver: Pick<RoomserverForClient, 'event' | 'membership'>;
}

interface Caller {
  userId: string;
  deviceId: string;
}

const receiptType = z.enum([...userapi.receiptTypes, 'm.fully_read']);

/** `POST /rooms/{roomId}/receipt/{receiptType}/{eventId}`. */
export const receipt = (deps: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/receipt/:receiptType/:eventId'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Tells up to where the user has read',
    params: roomParams.extend({ receiptType, eventId: identifier }),
    body: z.looseObject({ thread_id: identifier.optional() }),
    bodyOptional: true,
    answer: empty,
    handle: async ({ requester, params: { roomId, receiptType: type, eventId }, body }) => {
      const threadId = body.thread_id ?? null;
      await requireJoined(deps.roomserver, roomId, requester.userId);
      if (type === 'm.fully_read') {
        if (threadId !== null) throw invalidParam('The fully-read marker knows no threads.');
        return set(deps, requester, roomId, { [type]: eventId });
      }
      if (threadId !== null && threadId !== 'main' && !threadId.startsWith('$')) {
        throw invalidParam('thread_id is main or the ID of an event.');
      }
      return set(deps, requester, roomId, { [type]: eventId }, threadId);
    },
  });

/** `POST /rooms/{roomId}/read_markers`. */
export const readMarkers = (deps: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/read_markers'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Tells up to where the user has read, and has read everything',
    params: roomParams,
    body: z.looseObject({
      'm.fully_read': identifier.optional(),
      'm.read': identifier.optional(),
      'm.read.private': identifier.optional(),
    }),
    answer: empty,
    handle: async ({ requester, params: { roomId }, body }) => {
      await requireJoined(deps.roomserver, roomId, requester.userId);
      return set(deps, requester, roomId, body);
    },
  });

type Markers = Partial<Record<z.infer<typeof receiptType>, string | undefined>>;

/** Each event has to be one that the user may see: nobody marks what is not there, or is in another room. */
async function set(
  { bus, roomserver }: Deps,
  { userId, deviceId }: Caller,
  roomId: string,
  markers: Markers,
  threadId: string | null = null,
): Promise<Record<string, never>> {
  const positions = new Map<string, number>();
  for (const eventId of new Set(Object.values(markers).filter((one) => typeof one === 'string'))) {
    const event = await roomserver.event(roomId, userId, eventId, deviceId);
    if (event === undefined) throw notFound(`There is no event ${eventId} in this room that you may see.`);
    positions.set(eventId, event.position);
  }
  const receipts = userapi.receiptTypes.flatMap((type) => {
    const eventId = markers[type];
    if (eventId === undefined) return [];
    return [{ type, threadId, eventId, eventPosition: positions.get(eventId) ?? 0 }];
  });
  const fullyRead = markers['m.fully_read'];
  if (receipts.length > 0 || fullyRead !== undefined) {
    await bus.call(userapi.setReceipts, { userId, roomId, receipts, fullyRead });
  }
  return {};
}
