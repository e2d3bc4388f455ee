import type { PublicRoom, RoomserverForClient } from '@seneschal/contracts';
import { clientPaths, endpoint, type Endpoint } from '@seneschal/http';
import { notFound } from '@seneschal/matrix';
import { z } from 'zod';

import { count } from './shapes.ts';

const largestPage = 500;

const room = z.object({
  room_id: z.string(),
  name: z.string().optional(),
  topic: z.string().optional(),
  canonical_alias: z.string().optional(),
  avatar_url: z.string().optional(),
  num_joined_members: z.number(),
  world_readable: z.boolean(),
  guest_can_join: z.boolean(),
  join_rule: z.string(),
  room_type: z.string().optional(),
});

const answer = z.object({
  chunk: z.array(room),
  next_batch: z.string().optional(),
  prev_batch: z.string().optional(),
  total_room_count_estimate: z.number(),
});

const path = clientPaths('/publicRooms');

interface Deps {
  roomserver: Pick<RoomserverForClient, 'publicRooms'>;
  serverName: string;
}

interface Asked {
  server: string | undefined;
  limit: number | undefined;
  since: string | undefined;
  search?: string | undefined;
  roomTypes?: (string | null)[] | undefined;
}

/** `GET /publicRooms`. */
export const getPublicRooms = (deps: Deps): Endpoint =>
  endpoint({
    method: 'GET',
    path,
    access: 'public',
    rateLimit: 'read',
    summary: 'The public room directory',
    query: z.object({
      limit: count.optional(),
      since: z.string().optional(),
      server: z.string().optional(),
    }),
    answer,
    handle: ({ query }) => page(deps, { server: query.server, limit: query.limit, since: query.since }),
  });

/** `POST /publicRooms`: with a search. */
export const searchPublicRooms = (deps: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path,
    access: 'user',
    rateLimit: 'read',
    summary: 'Searches the public room directory',
    query: z.object({ server: z.string().optional() }),
    body: z.object({
      limit: z.int().min(0).optional(),
      since: z.string().optional(),
      filter: z
        .object({
          generic_search_term: z.string().nullish(),
          room_types: z.array(z.string().nullable()).nullish(),
        })
        .optional(),
    }),
    bodyOptional: true,
    answer,
    handle: ({ query, body }) =>
      page(deps, {
        server: query.server,
        limit: body.limit,
        since: body.since,
        search: body.filter?.generic_search_term ?? undefined,
        roomTypes: body.filter?.room_types ?? undefined,
      }),
  });

async function page(deps: Deps, asked: Asked): Promise<z.infer<typeof answer>> {
  if (asked.server !== undefined && asked.server !== deps.serverName) {
    throw notFound('This server does not federate yet: it knows its own directory only.');
  }
  const found = await deps.roomserver.publicRooms({
    limit: Math.min(Math.max(asked.limit ?? largestPage, 1), largestPage),
    ...(asked.since === undefined ? {} : { since: asked.since }),
    ...(asked.search === undefined ? {} : { search: asked.search }),
    ...(asked.roomTypes === undefined ? {} : { roomTypes: asked.roomTypes }),
  });
  return {
    chunk: found.rooms.map(toChunk),
    ...(found.nextBatch === undefined ? {} : { next_batch: found.nextBatch }),
    ...(found.prevBatch === undefined ? {} : { prev_batch: found.prevBatch }),
    total_room_count_estimate: found.total,
  };
}

function toChunk(found: PublicRoom): z.infer<typeof room> {
  return {
    room_id: found.roomId,
    name: found.name,
    topic: found.topic,
    canonical_alias: found.canonicalAlias,
    avatar_url: found.avatarUrl,
    num_joined_members: found.joinedMembers,
    world_readable: found.worldReadable,
    guest_can_join: found.guestCanJoin,
    join_rule: found.joinRule,
    room_type: found.roomType,
  };
}
