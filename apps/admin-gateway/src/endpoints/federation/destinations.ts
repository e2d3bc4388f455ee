import type { CallBus } from '@seneschal/bus';
import {
  type DestinationRecord,
  federation as commands,
  type FederationForAdmin,
  type RoomserverForAdmin,
} from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { limitOr100 } from '../../paging.ts';
import { base, destinationAnswer, pageOf, serverName, toAnswer } from './shapes.ts';

export interface DestinationsDeps {
  bus: CallBus;
  federation: FederationForAdmin;
  roomserver: Pick<RoomserverForAdmin, 'roomsOfServer'>;
}

const params = z.object({ serverName });
const of = { access: 'admin', rateLimit: 'admin' } as const;

export const listDestinations = ({ federation }: DestinationsDeps): Endpoint =>
  endpoint({
    ...of,
    method: 'GET',
    path: `${base}/destinations`,
    scope: 'read',
    summary: 'The servers that anything was sent to, by name, and how it goes with each',
    query: z.object({
      state: z.enum(commands.destinationStates).optional(),
      server_name: z.string().max(255).optional(),
      from: z.string().max(255).optional(),
      limit: limitOr100,
    }),
    answer: z.object({ destinations: z.array(destinationAnswer), next_token: z.string().optional() }),
    handle: async ({ query }) => {
      const limit = Math.max(query.limit, 1);
      const filter = { state: query.state, contains: query.server_name };
      const found = await federation.destinations(filter, { after: query.from, limit: limit + 1 });
      const { entries, next } = pageOf(found, limit, (last) => last.serverName);
      return { destinations: entries.map(toAnswer), ...next };
    },
  });

export const getDestination = ({ federation }: DestinationsDeps): Endpoint =>
  endpoint({
    ...of,
    method: 'GET',
    path: `${base}/destinations/:serverName`,
    scope: 'read',
    summary: 'How it goes with one server that anything was sent to',
    params,
    answer: destinationAnswer,
    handle: async ({ params: { serverName: name } }) => toAnswer(await known(federation, name)),
  });

export const roomsOfDestination = ({ federation, roomserver }: DestinationsDeps): Endpoint =>
  endpoint({
    ...of,
    method: 'GET',
    path: `${base}/destinations/:serverName/rooms`,
    scope: 'read',
    summary: 'The rooms that users of a server are joined to, by room ID',
    params,
    query: z.object({ from: z.string().max(255).optional(), limit: limitOr100 }),
    answer: z.object({
      rooms: z.array(z.object({ room_id: z.string(), joined_members: z.number() })),
      next_token: z.string().optional(),
    }),
    handle: async ({ params: { serverName: name }, query }) => {
      const limit = Math.max(query.limit, 1);
      const found = await roomserver.roomsOfServer(name, { after: query.from, limit: limit + 1 });
      if (found.length === 0) await known(federation, name);
      const { entries, next } = pageOf(found, limit, (last) => last.roomId);
      const rooms = entries.map((one) => ({ room_id: one.roomId, joined_members: one.joinedMembers }));
      return { rooms, ...next };
    },
  });

/** Has a server tried again at once. Answers it as it is then. */
export const resetDestination = ({ bus, federation }: DestinationsDeps): Endpoint =>
  endpoint({
    ...of,
    method: 'POST',
    path: `${base}/destinations/:serverName/reset`,
    scope: 'federation',
    summary: 'Ends the back-off of a server: what is queued is sent at once',
    params,
    answer: destinationAnswer,
    handle: async ({ params: { serverName: name } }) => {
      await bus.call(commands.resetDestination, { serverName: name });
      return toAnswer(await known(federation, name));
    },
  });

async function known(
  federation: Pick<FederationForAdmin, 'destination'>,
  name: string,
): Promise<DestinationRecord> {
  const found = await federation.destination(name);
  if (found === undefined) throw notFound('Nothing was ever sent to this server.');
  return found;
}
