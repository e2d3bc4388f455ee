import type { CallBus } from '@seneschal/bus';
import { federation } from '@seneschal/contracts';
import { endpoint, type Endpoint, Reply } from '@seneschal/http';
import { type JsonObject, own } from '@seneschal/matrix';
import { z } from 'zod';

import { eventId, pdu, roomId } from './shapes.ts';

const params = z.object({ roomId, eventId });
const common = { method: 'PUT', access: 'server', rateLimit: 'none', params } as const;

/** Server-server API, `PUT /_matrix/federation/v2/invite`. */
export const invite = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    ...common,
    path: '/_matrix/federation/v2/invite/:roomId/:eventId',
    summary: 'A user of the asking server invites a user of this one; answers the invite with our signature',
    body: z.object({
      room_version: z.string(),
      event: pdu,
      invite_room_state: z.array(pdu).optional(),
    }),
    answer: z.object({ event: pdu }),
    handle: ({ params: of, body, origin }) =>
      deps.bus.call(federation.receiveInvite, {
        ...{
          origin,
          roomId: of.roomId,
          eventId: of.eventId,
          roomVersion: body.room_version,
          event: body.event,
        },
        strippedState: body.invite_room_state ?? [],
      }),
  });

/** The same in its older form: for room versions 1 and 2, with what is told of the room in the event. */
export const oldInvite = (deps: { bus: CallBus }): Endpoint =>
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/invite/:roomId/:eventId',
    summary: 'The same in its older form, for room versions 1 and 2',
    body: pdu,
    answer: z.array(z.union([z.number(), z.object({ event: pdu })])),
    handle: async ({ params: of, body, origin }) => {
      const told = own(body['unsigned'], 'invite_room_state');
      const strippedState = (Array.isArray(told) ? told : []).filter(
        (one): one is JsonObject => pdu.safeParse(one).success,
      );
      const { roomId: id, eventId: ofEvent } = of;
      const roomVersion = '1';
      const asked = { origin, roomId: id, eventId: ofEvent, roomVersion, event: body, strippedState };
      return new Reply(200, [200, await deps.bus.call(federation.receiveInvite, asked)]);
    },
  });
