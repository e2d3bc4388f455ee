import { publicRoomsPage, publicRoomsPageOf, publicRoomsSearch } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { z } from 'zod';

import type { RoomReads } from './shapes.ts';

interface Deps {
  roomserver: Pick<RoomReads, 'publicRooms'>;
}

const largestPage = 100;
const common = {
  path: '/_matrix/federation/v1/publicRooms',
  access: 'server',
  rateLimit: 'none',
  answer: publicRoomsPage,
} as const;

const limit = z
  .string()
  .regex(/^\d{1,9}$/, 'is not a number')
  .transform(Number);

/** Server-server API, `GET /publicRooms` and, with a search, `POST /publicRooms`. Rooms that stay on this server are left out. */
export const publicRooms = (deps: Deps): Endpoint[] => [
  endpoint({
    ...common,
    method: 'GET',
    summary: 'The public room directory of this server',
    query: z.object({ limit: limit.optional(), since: z.string().max(1024).optional() }),
    handle: ({ query }) => page(deps, { ...query, filter: undefined }),
  }),
  endpoint({
    ...common,
    method: 'POST',
    summary: 'Searches the public room directory of this server',
    body: publicRoomsSearch,
    bodyOptional: true,
    handle: ({ body }) => page(deps, body),
  }),
];

async function page(
  { roomserver }: Deps,
  { limit: wanted = largestPage, since, filter }: z.infer<typeof publicRoomsSearch>,
): Promise<z.infer<typeof publicRoomsPage>> {
  const { generic_search_term: term, room_types: roomTypes } = filter ?? {};
  const found = await roomserver.publicRooms({
    limit: Math.min(Math.max(wanted, 1), largestPage),
    ...(since === undefined ? {} : { since }),
    ...(term === undefined ? {} : { search: term }),
    ...(roomTypes === undefined ? {} : { roomTypes }),
  });
  return publicRoomsPageOf(found);
}
