import type { CallBus } from '@seneschal/bus';
import { type RoomserverForFederation, syncapi } from '@seneschal/contracts';
import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

import { allowedRooms, type AllowedRoomsDeps } from './allowed-rooms.ts';
import { text, userOf } from './shapes.ts';

export interface ReceiveTypingDeps {
  bus: CallBus;
  roomserver: AllowedRoomsDeps['roomserver'] & Pick<RoomserverForFederation, 'joinedOf'>;
}

/** Takes who types, or has stopped: users of the server that sent it, in rooms that they are joined to. */
export async function receiveTyping(
  deps: ReceiveTypingDeps,
  origin: string,
  contents: readonly JsonObject[],
): Promise<void> {
  // Server-server API, `m.typing`.
  const schema = z.object({ room_id: text, user_id: userOf(origin), typing: z.boolean() });
  const told = contents.flatMap((content) => {
    const { data } = schema.safeParse(content);
    return data === undefined ? [] : [{ roomId: data.room_id, userId: data.user_id, isTyping: data.typing }];
  });
  const allowed = await allowedRooms(
    deps,
    origin,
    told.map(({ roomId }) => roomId),
  );
  const typing = await deps.roomserver.joinedOf(told.filter(({ roomId }) => allowed.has(roomId)));
  if (typing.length > 0) await deps.bus.call(syncapi.receiveTyping, { typing });
}
