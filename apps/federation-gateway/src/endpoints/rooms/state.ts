import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import type { RoomStateAt } from '@seneschal/contracts';
import { z } from 'zod';

import { eventId, pdu, roomId, type RoomReads, sharedRoom } from './shapes.ts';

interface Deps {
  roomserver: RoomReads;
}

const common = {
  method: 'GET',
  access: 'server',
  rateLimit: 'none',
  params: z.object({ roomId }),
  query: z.object({ event_id: eventId }),
} as const;

async function stateBefore(
  { roomserver }: Deps,
  id: string,
  ofEvent: string,
  origin: string,
): Promise<RoomStateAt> {
  await sharedRoom(roomserver, id, origin);
  const before = await roomserver.stateBefore(id, ofEvent);
  if (before === undefined) throw notFound('The event, or the state before it, is not known here.');
  return before;
}

/** Server-server API, `GET /state/{roomId}`. */
export const state = (deps: Deps): Endpoint =>
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/state/:roomId',
    summary: 'The state before an event, with its auth chain',
    answer: z.object({ pdus: z.array(pdu), auth_chain: z.array(pdu) }),
    handle: async ({ params, query, origin }) => {
      const before = await stateBefore(deps, params.roomId, query.event_id, origin);
      return { pdus: [...before.state.values()], auth_chain: [...before.authChain.values()] };
    },
  });

/** Server-server API, `GET /state_ids/{roomId}`. */
export const stateIds = (deps: Deps): Endpoint =>
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/state_ids/:roomId',
    summary: 'The IDs of the state before an event, and of its auth chain',
    answer: z.object({ pdu_ids: z.array(z.string()), auth_chain_ids: z.array(z.string()) }),
    handle: async ({ params, query, origin }) => {
      const before = await stateBefore(deps, params.roomId, query.event_id, origin);
      return { pdu_ids: [...before.state.keys()], auth_chain_ids: [...before.authChain.keys()] };
    },
  });

/** Server-server API, `GET /event_auth/{roomId}/{eventId}`. */
export const eventAuth = ({ roomserver }: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/_matrix/federation/v1/event_auth/:roomId/:eventId',
    access: 'server',
    rateLimit: 'none',
    summary: 'The auth chain of an event',
    params: z.object({ roomId, eventId }),
    answer: z.object({ auth_chain: z.array(pdu) }),
    handle: async ({ params, origin }) => {
      await sharedRoom(roomserver, params.roomId, origin);
      const chain = await roomserver.authChain(params.roomId, [params.eventId]);
      if (chain.size === 0) throw notFound('There is no such event.');
      return { auth_chain: [...chain.values()] };
    },
  });
