import { endpoint, type Endpoint } from '@seneschal/http';
import { type JsonObject, notFound, referencedId, type Pdu } from '@seneschal/matrix';
import { z } from 'zod';

import { eventId, pdu, roomId, type RoomReads, sharedRoom } from './shapes.ts';
import { visiblePdus } from './visible-pdus.ts';

interface Deps {
  roomserver: RoomReads;
  serverName: string;
}

const mostEvents = 100;
const transaction = z.object({ origin: z.string(), origin_server_ts: z.number(), pdus: z.array(pdu) });
const common = { method: 'GET', access: 'server', rateLimit: 'none' } as const;

/** Server-server API, `GET /event/{eventId}`. */
export const event = ({ roomserver, serverName }: Deps): Endpoint =>
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/event/:eventId',
    summary: 'One event of a room that the asking server is in',
    params: z.object({ eventId }),
    answer: transaction,
    handle: async ({ params, origin }) => {
      const id = await roomserver.roomOfEvent(params.eventId);
      if (id === undefined) throw notFound('There is no such event.');
      const { roomVersion } = await sharedRoom(roomserver, id, origin);
      const pdus = await roomserver.pdus([params.eventId]);
      const room = { roomId: id, roomVersion, origin };
      const visible = await visiblePdus(roomserver, room, pdus);
      return { origin: serverName, origin_server_ts: Date.now(), pdus: visible };
    },
  });

/** Server-server API, `GET /backfill/{roomId}`: events and what comes before them, newest first. */
export const backfill = ({ roomserver, serverName }: Deps): Endpoint =>
  endpoint({
    ...common,
    path: '/_matrix/federation/v1/backfill/:roomId',
    summary: 'Events of a room, and those before them',
    params: z.object({ roomId }),
    query: z.object({
      v: z.union([z.string(), z.array(z.string()).max(20)]),
      limit: z.coerce.number().int().min(1),
    }),
    answer: transaction,
    handle: async ({ params, query, origin }) => {
      const { roomVersion } = await sharedRoom(roomserver, params.roomId, origin);
      const limit = Math.min(query.limit, mostEvents);
      const pdus = await roomserver.eventsBefore(params.roomId, [query.v].flat(), limit);
      const room = { roomId: params.roomId, roomVersion, origin };
      const visible = await visiblePdus(roomserver, room, pdus);
      return { origin: serverName, origin_server_ts: Date.now(), pdus: visible };
    },
  });

const gap = z.object({
  earliest_events: z.array(z.string()).max(100),
  latest_events: z.array(z.string()).max(100),
  limit: z.number().int().min(1).optional(),
  min_depth: z.number().optional(),
});

/** Server-server API, `POST /get_missing_events/{roomId}`: the events between some and others, the oldest first. */
export const missingEvents = ({ roomserver }: Deps): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/_matrix/federation/v1/get_missing_events/:roomId',
    access: 'server',
    rateLimit: 'none',
    summary: 'The events between those that the asking server has and others',
    params: z.object({ roomId }),
    body: gap,
    answer: z.object({ events: z.array(pdu) }),
    handle: async ({ params, body, origin }) => {
      const { roomVersion } = await sharedRoom(roomserver, params.roomId, origin);
      const found = await between(roomserver, params.roomId, body);
      const visible = await visiblePdus(roomserver, { roomId: params.roomId, roomVersion, origin }, found);
      return { events: visible.reverse() };
    },
  });

/** Walks back from the latest events, past none of the earliest. */
async function between(
  roomserver: RoomReads,
  id: string,
  {
    earliest_events: earliest,
    latest_events: latest,
    limit = 10,
    min_depth: minDepth = 0,
  }: z.infer<typeof gap>,
): Promise<Map<string, JsonObject>> {
  const known = new Set([...earliest, ...latest]);
  const most = Math.min(limit, mostEvents);
  const found = new Map<string, JsonObject>();
  let level = [...(await roomserver.eventsBefore(id, latest, latest.length)).values()];
  while (level.length > 0 && found.size < most) {
    const wanted = level.flatMap(({ prev_events: parents }) =>
      (parents as Pdu['prev_events']).map(referencedId),
    );
    const missing = [...new Set(wanted)].filter((one) => !known.has(one));
    for (const one of missing) known.add(one);
    const parents =
      missing.length === 0
        ? new Map<string, JsonObject>()
        : await roomserver.eventsBefore(id, missing, missing.length);
    level = [];
    for (const [one, parent] of parents) {
      if (found.size >= most || Number(parent['depth']) < minDepth || !missing.includes(one)) continue;
      found.set(one, parent);
      level.push(parent);
    }
  }
  return found;
}
