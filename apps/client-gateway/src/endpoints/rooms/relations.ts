import type { RoomserverForClient, SyncapiForClient } from '@seneschal/contracts';
import { endpoint, type Endpoint } from '@seneschal/http';
import { clientEvents } from '@seneschal/syncapi';
import { z } from 'zod';

import { count, identifier, jsonObject, roomParams } from './shapes.ts';

interface Deps {
  roomserver: Pick<RoomserverForClient, 'relations'>;
  syncapi: Pick<SyncapiForClient, 'positionOf' | 'tokenOf'>;
}

const path = '/_matrix/client/v1/rooms/:roomId/relations/:eventId';
const params = roomParams.extend({ eventId: identifier });
const typed = params.extend({ relType: identifier });
const largestPage = 100;

const query = z.object({
  from: z.string().optional(),
  to: z.string().optional(),
  limit: count.default(30),
  dir: z.enum(['b', 'f']).default('b'),
  recurse: z.enum(['true', 'false']).default('false'),
});

const common = {
  method: 'GET',
  access: 'user',
  rateLimit: 'read',
  query,
  answer: z.object({
    chunk: z.array(jsonObject),
    prev_batch: z.string().optional(),
    next_batch: z.string().optional(),
    recursion_depth: z.number().optional(),
  }),
} as const;

/** `GET /rooms/{roomId}/relations/{eventId}`, with a relation type, and with an event type. */
export const relations = (deps: Deps): Endpoint[] => [
  endpoint({
    ...common,
    path,
    summary: 'The events that are related to one',
    params,
    handle: ({ params, query, requester }) => find(deps, requester, params, query),
  }),
  endpoint({
    ...common,
    path: `${path}/:relType`,
    summary: 'The events that are related to one in a certain way',
    params: typed,
    handle: ({ params, query, requester }) => find(deps, requester, params, query),
  }),
  endpoint({
    ...common,
    path: `${path}/:relType/:eventType`,
    summary: 'The events of a type that are related to one in a certain way',
    params: typed.extend({ eventType: identifier }),
    handle: ({ params, query, requester }) => find(deps, requester, params, query),
  }),
];

interface Which {
  roomId: string;
  eventId: string;
  relType?: string;
  eventType?: string;
}

async function find(
  { roomserver, syncapi: { positionOf, tokenOf } }: Deps,
  { userId, deviceId }: { userId: string; deviceId: string },
  { roomId, ...which }: Which,
  asked: z.infer<typeof query>,
): Promise<z.infer<typeof common.answer>> {
  const recurse = asked.recurse === 'true';
  const page = await roomserver.relations(roomId, userId, {
    ...which,
    recurse,
    deviceId,
    direction: asked.dir,
    limit: Math.min(Math.max(asked.limit, 1), largestPage),
    ...(asked.from === undefined ? {} : { from: positionOf(asked.from) }),
    ...(asked.to === undefined ? {} : { to: positionOf(asked.to) }),
  });
  return {
    chunk: clientEvents(page.events),
    ...(asked.from === undefined ? {} : { prev_batch: asked.from }),
    ...(page.end === undefined ? {} : { next_batch: tokenOf(page.end) }),
    ...(recurse ? { recursion_depth: page.levels } : {}),
  };
}
