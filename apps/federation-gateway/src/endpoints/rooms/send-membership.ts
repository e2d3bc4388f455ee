import type { CallBus } from '@seneschal/bus';
import { federation } from '@seneschal/contracts';
import { endpoint, type Endpoint, Reply } from '@seneschal/http';
import { type JsonObject, notFound, toStrippedState, type Pdu } from '@seneschal/matrix';
import { z } from 'zod';

import { eventId, pdu, roomId, type RoomReads } from './shapes.ts';

interface Deps {
  bus: CallBus;
  roomserver: Pick<RoomReads, 'stateBefore' | 'joinedServers'>;
  serverName: string;
}

const params = z.object({ roomId, eventId });
const joinAnswer = z.object({
  origin: z.string(),
  members_omitted: z.boolean(),
  servers_in_room: z.array(z.string()),
  event: pdu,
  state: z.array(pdu),
  auth_chain: z.array(pdu),
});

type Params = z.infer<typeof params>;

async function join(
  deps: Deps,
  origin: string,
  { roomId: id, eventId: ofEvent }: Params,
  event: JsonObject,
): Promise<z.infer<typeof joinAnswer>> {
  const asked = { origin, roomId: id, eventId: ofEvent, membership: 'join' as const, event };
  const joined = await deps.bus.call(federation.receiveMembership, asked);
  const before = await deps.roomserver.stateBefore(id, ofEvent);
  if (before === undefined) throw notFound('The state of the room is not known.');
  return {
    origin: deps.serverName,
    members_omitted: false,
    servers_in_room: [deps.serverName, ...(await deps.roomserver.joinedServers(id))],
    event: joined.event,
    state: [...before.state.values()],
    auth_chain: [...before.authChain.values()],
  };
}

const common = { method: 'PUT', access: 'server', rateLimit: 'none', params, body: pdu } as const;

/** Server-server API, `PUT /_matrix/federation/v2/send_join`, and its older form, which answers status and body. */
export const sendJoin = (deps: Deps): Endpoint[] => [
  endpoint({
    ...common,
    path: '/_matrix/federation/v2/send_join/:roomId/:eventId',
    summary: 'A user of the asking server joins; answers the state of the room',
    answer: joinAnswer,
    handle: ({ params: of, body, origin }) => join(deps, origin, of, body),
  }),
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/send_join/:roomId/:eventId',
    summary: 'The same in its older form',
    answer: z.array(z.union([z.number(), joinAnswer])),
    handle: async ({ params: of, body, origin }) => new Reply(200, [200, await join(deps, origin, of, body)]),
  }),
];

async function leave(
  deps: Deps,
  origin: string,
  { roomId: id, eventId: ofEvent }: Params,
  event: JsonObject,
): Promise<void> {
  const asked = { origin, roomId: id, eventId: ofEvent, membership: 'leave' as const, event };
  await deps.bus.call(federation.receiveMembership, asked);
}

/** Server-server API, `PUT /_matrix/federation/v2/send_leave`, and its older form. */
export const sendLeave = (deps: Deps): Endpoint[] => [
  endpoint({
    ...common,
    path: '/_matrix/federation/v2/send_leave/:roomId/:eventId',
    summary: 'A user of the asking server leaves, or turns down an invite',
    answer: z.object({}),
    handle: async ({ params: of, body, origin }) => {
      await leave(deps, origin, of, body);
      return {};
    },
  }),
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/send_leave/:roomId/:eventId',
    summary: 'The same in its older form',
    answer: z.array(z.union([z.number(), z.object({})])),
    handle: async ({ params: of, body, origin }) => {
      await leave(deps, origin, of, body);
      return new Reply(200, [200, {}]);
    },
  }),
];

const shown = new Set([
  'm.room.create',
  'm.room.join_rules',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.canonical_alias',
  'm.room.encryption',
]);

/** Server-server API, `PUT /_matrix/federation/v1/send_knock`. */
export const sendKnock = (deps: Deps): Endpoint =>
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/send_knock/:roomId/:eventId',
    summary: 'A user of the asking server knocks',
    answer: z.object({ knock_room_state: z.array(pdu) }),
    handle: async ({ params: of, body, origin }) => {
      const asked = {
        origin,
        roomId: of.roomId,
        eventId: of.eventId,
        membership: 'knock' as const,
        event: body,
      };
      await deps.bus.call(federation.receiveMembership, asked);
      const before = await deps.roomserver.stateBefore(of.roomId, of.eventId);
      const state = [...(before?.state.values() ?? [])] as unknown as Pdu[];
      const told = state.filter(({ type, state_key: key }) => shown.has(type) && key === '');
      return { knock_room_state: told.map((event) => toStrippedState(event)) };
    },
  });
