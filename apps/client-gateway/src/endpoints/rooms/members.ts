import type { RoomserverForClient, SyncapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { clientEvents } from '@seneschal/syncapi';
import { z } from 'zod';

import { jsonObject, roomParams } from './shapes.ts';

const membership = z.enum(['join', 'invite', 'knock', 'leave', 'ban']).optional();

/** `GET /rooms/{roomId}/members`: for those who left, as of leaving. */
export const members = (deps: {
  roomserver: Pick<RoomserverForClient, 'members'>;
  syncapi: Pick<SyncapiForClient, 'positionOf'>;
}): Endpoint =>
  endpoint({
    method: 'GET',
    path: clientPaths('/rooms/:roomId/members'),
    access: 'user',
    rateLimit: 'read',
    summary: 'The membership events of a room',
    params: roomParams,
    query: z.object({ at: z.string().optional(), membership, not_membership: membership }),
    answer: z.object({ chunk: z.array(jsonObject) }),
    handle: async ({ params: { roomId }, query, requester: { userId } }) => {
      const events = await deps.roomserver.members(roomId, userId, {
        ...(query.membership === undefined ? {} : { membership: query.membership }),
        ...(query.not_membership === undefined ? {} : { notMembership: query.not_membership }),
        ...(query.at === undefined ? {} : { at: deps.syncapi.positionOf(query.at) }),
      });
      return { chunk: clientEvents(events) };
    },
  });
