import type { CallBus } from '@seneschal/bus';
import { roomserver } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';

import { empty, roomParams } from './shapes.ts';

/** `POST /rooms/{roomId}/forget`. */
export const forget = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/forget'),
    access: 'user',
    rateLimit: 'write',
    summary: 'Forgets a room that the user is out of',
    params: roomParams,
    body: empty,
    bodyOptional: true,
    answer: empty,
    handle: async ({ params: { roomId }, requester: { userId } }) => {
      await deps.bus.call(roomserver.forgetRoom, { roomId, userId });
      return {};
    },
  });
