import type { CallBus } from '@seneschal/bus';
import { type RoomserverForFederation, syncapi } from '@seneschal/contracts';
import { type JsonObject, serverNameOf } from '@seneschal/matrix';
import { z } from 'zod';

import { allowedRooms, type AllowedRoomsDeps } from './allowed-rooms.ts';

export interface ReceiveTypingDeps {
  bus: CallBus;
  roomserver: AllowedRoomsDeps['roomserver'] & Pick<RoomserverForFederation, 'joinedOf'>;
}

/** Server-server API, `m.typing`. */
const typingContent = z.object({
  room_id: z.string().max(255),
  user_id: z.string().max(255),
  typing: z.boolean(),
});

/** Takes who types, or has stopped: users of the server that sent it, in rooms that they are joined to. */
export async function receiveTyping(
  deps: ReceiveTypingDeps,
  origin: string,
  contents: readonly JsonObject[],
): Promise<void> {
  const told = contents.flatMap((content) => {
    const { data } = typingContent.safeParse(content);
    if (data === undefined || serverNameOf(data.user_id) !== origin) return [];
    return [{ roomId: data.room_id, userId: data.user_id, isTyping: data.typing }];
  });
  const allowed = await allowedRooms(
    deps,
    origin,
    told.map(({ roomId }) => roomId),
  );
  const typing = await deps.roomserver.joinedOf(told.filter(({ roomId }) => allowed.has(roomId)));
  if (typing.length > 0) await deps.bus.call(syncapi.receiveTyping, { typing });
}
