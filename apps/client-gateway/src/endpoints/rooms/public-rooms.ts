import { z } from 'zod';

import type { CallBus } from '@seneschal/bus';
import {
  federation,
  publicRoomsPage,
  publicRoomsPageOf,
  publicRoomsSearch,
  type RoomserverForClient,
  type UserapiForGateways,
} from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { isServerName } from '@seneschal/matrix';

import { requireLoggedIn } from '../logged-in.ts';
import { count } from './shapes.ts';

const largestPage = 500;
const path = clientPaths('/publicRooms');
const server = z.string().refine(isServerName, 'is not a server name').optional();

interface Deps {
  bus: CallBus;
  roomserver: Pick<RoomserverForClient, 'publicRooms'>;
  userapi: Pick<UserapiForGateways, 'requesterByToken'>;
  serverName: string;
}

interface Asked {
  server: string | undefined;
  search: z.infer<typeof publicRoomsSearch>;
}

/** `GET /publicRooms`. Other servers are asked for users alone: nobody sends requests from here without a token. */
export const getPublicRooms = (deps: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'public',
    rateLimit: 'read',
    summary: 'The public room directory',
    query: z.object({ limit: count.optional(), since: z.string().max(1024).optional(), server }),
    answer: publicRoomsPage,
    handle: async (request) => {
      const { server: asked, ...search } = request.query;
      if (isElsewhere(deps, asked)) await requireLoggedIn(deps, request);
      return page(deps, { server: asked, search: { ...search, filter: undefined } });
    },
  });

/** `POST /publicRooms`: with a search. */
export const searchPublicRooms = (deps: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path,
    access: 'user',
    rateLimit: 'read',
    summary: 'Searches the public room directory',
    query: z.object({ server }),
    body: publicRoomsSearch,
    bodyOptional: true,
    answer: publicRoomsPage,
    handle: ({ query, body }) => page(deps, { server: query.server, search: body }),
  });

function isElsewhere(deps: Pick<Deps, 'serverName'>, name: string | undefined): name is string {
  return name !== undefined && name !== deps.serverName;
}

async function page(deps: Deps, { server: asked, search }: Asked): Promise<z.infer<typeof publicRoomsPage>> {
  if (isElsewhere(deps, asked)) {
    return deps.bus.call(federation.remotePublicRooms, { serverName: asked, search });
  }
  const { limit, since, filter } = search;
  const { generic_search_term: term, room_types: roomTypes } = filter ?? {};
  const found = await deps.roomserver.publicRooms({
    limit: Math.min(Math.max(limit ?? largestPage, 1), largestPage),
    ...(since === undefined ? {} : { since }),
    ...(term === undefined ? {} : { search: term }),
    ...(roomTypes === undefined ? {} : { roomTypes }),
  });
  return publicRoomsPageOf(found);
}
