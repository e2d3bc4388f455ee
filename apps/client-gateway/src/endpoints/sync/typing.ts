import type { RoomserverForClient, SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { forbidden } from '@seneschal/matrix';
import { z } from 'zod';

import { empty, roomParams, userId } from '../rooms/shapes.ts';
import { requireJoined } from './require-joined.ts';

const usualTimeoutMs = 20_000;

/** `PUT /rooms/{roomId}/typing/{userId}`. */
export const typing = (deps: {
  roomserver: Pick<RoomserverForClient, 'membership'>;
  syncapi: Pick<SyncapiForClient, 'setTyping'>;
}): Endpoint =>
  endpoint({
    method: 'PUT',
    path: clientPaths('/rooms/:roomId/typing/:userId'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Tells that the user is typing, or has stopped',
    params: roomParams.extend({ userId }),
    body: z.object({ typing: z.boolean(), timeout: z.int().min(0).optional() }),
    answer: empty,
    handle: async ({ requester, params: { roomId, userId }, body }) => {
      if (userId !== requester.userId) throw forbidden('Users type for themselves.');
      await requireJoined(deps.roomserver, roomId, userId);
      const timeoutMs = body.typing ? (body.timeout ?? usualTimeoutMs) : 0;
      await deps.syncapi.setTyping({ roomId, userId, timeoutMs });
      return {};
    },
  });
