import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import { roomserver, type UserapiForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound, serverNameOf } from '@seneschal/matrix';

import { empty, identifier, roomParams, text, userId } from './shapes.ts';

const longestReason = 4096;
const reason = text.refine((value) => value.length <= longestReason, `is longer than ${longestReason}`);

/** Client-server API, "Reporting Content". */
export const reportEvent = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/report/:eventId'),
    access: 'user',
    rateLimit: 'report',
    summary: 'Reports an event to the administrators of this server',
    params: roomParams.extend({ eventId: identifier }),
    body: z.object({ reason: reason.nullish(), score: z.int().min(-100).max(0).nullish() }),
    brokenBody: 'M_BAD_JSON',
    answer: empty,
    handle: async ({ params, body, requester: { userId: reporter } }) => {
      const told = { reason: body.reason ?? '', score: body.score ?? 0 };
      await deps.bus.call(roomserver.reportEvent, { ...params, ...told, reporter });
      return {};
    },
  });

export const reportRoom = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/rooms/:roomId/report'),
    access: 'user',
    rateLimit: 'report',
    summary: 'Reports a room, as a whole, to the administrators of this server',
    params: roomParams,
    body: z.object({ reason }),
    answer: empty,
    handle: async ({ params: { roomId }, body, requester: { userId: reporter } }) => {
      await deps.bus.call(roomserver.reportRoom, { roomId, reporter, reason: body.reason });
      return {};
    },
  });

export const reportUser = (deps: {
  bus: CallBus;
  userapi: Pick<UserapiForClient, 'account'>;
  serverName: string;
}): Endpoint =>
  endpoint({
    method: 'POST',
    path: clientPaths('/users/:userId/report'),
    access: 'user',
    rateLimit: 'report',
    summary: 'Reports a user to the administrators of this server',
    params: z.object({ userId }),
    body: z.object({ reason }),
    answer: empty,
    handle: async ({ params, body, requester: { userId: reporter } }) => {
      const isOurs = serverNameOf(params.userId) === deps.serverName;
      if (isOurs && (await deps.userapi.account(params.userId)) === undefined) {
        throw notFound('There is no such user.');
      }
      await deps.bus.call(roomserver.reportUser, { userId: params.userId, reporter, reason: body.reason });
      return {};
    },
  });
