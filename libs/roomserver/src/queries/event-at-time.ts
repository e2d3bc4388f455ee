import { sql } from 'kysely';

import type { RoomserverForClient } from '@seneschal/contracts';

import { parsePdu } from './event-rows.ts';
import { messages } from './messages.ts';
import type { ReaderDeps } from './ignoring.ts';
import type { QueryDeps } from './query-deps.ts';
import { bounded, viewRoom } from './room-view.ts';

type Place = Parameters<RoomserverForClient['eventAtTime']>[2];
type Found = Awaited<ReturnType<RoomserverForClient['eventAtTime']>>;

/** Places that one query looks at: a room of any size takes a handful of queries. */
const probes = 16;
const nearby = 20;

/**
 * The event closest to a time, at it or in one direction from it, among those that the user may see. Times rise with
 * positions but for clocks that were set back, so the place is searched for by halves, and looked at closely then.
 */
export async function eventAtTime(
  deps: ReaderDeps,
  roomId: string,
  userId: string,
  { ts, direction }: Place,
): Promise<Found> {
  const { roomNid, horizon } = await viewRoom(deps, roomId, userId);
  const isForwards = direction === 'f';
  const isBeyond = (time: number): boolean => (isForwards ? time >= ts : time > ts);
  const place = await firstBeyond(deps, roomNid, bounded(horizon), isBeyond);
  const page = { direction, from: place - 1, limit: nearby, deviceId: '' };
  const { events } = await messages(deps, roomId, userId, page);
  const found = events.find(({ pdu }) => isForwards === isBeyond(pdu.origin_server_ts));
  return found && { eventId: found.eventId, originServerTs: found.pdu.origin_server_ts };
}

/** For another server: the events closest to a time in one direction, the closest first, whether or not it may see them. */
export async function eventsAtTime(
  deps: QueryDeps,
  roomId: string,
  { ts, direction }: Place,
): Promise<NonNullable<Found>[]> {
  const room = await sql<{ room_nid: number }>`
    SELECT room_nid FROM roomserver_rooms WHERE room_id = ${roomId}
  `.execute(deps.db);
  const roomNid = room.rows[0]?.room_nid;
  if (roomNid === undefined) return [];
  const isForwards = direction === 'f';
  const isBeyond = (time: number): boolean => (isForwards ? time >= ts : time > ts);
  const place = await firstBeyond(deps, roomNid, Number.MAX_SAFE_INTEGER, isBeyond);
  const result = await sql<{ event_id: string; json: string }>`
    SELECT event_id, json FROM roomserver_events WHERE room_nid = ${roomNid} AND NOT is_outlier
      AND ${isForwards ? sql`position >= ${place}` : sql`position < ${place}`}
    ORDER BY position ${isForwards ? sql`ASC` : sql`DESC`} LIMIT ${nearby}
  `.execute(deps.db);
  return result.rows.flatMap((row) => {
    const time = parsePdu(row.json)?.origin_server_ts;
    const isFound = time !== undefined && isForwards === isBeyond(time);
    return isFound ? [{ eventId: row.event_id, originServerTs: time }] : [];
  });
}

/** The position of the first event whose time is beyond the one asked for, or the one after the last. */
async function firstBeyond(
  deps: QueryDeps,
  roomNid: number,
  horizon: number,
  isBeyond: (time: number) => boolean,
): Promise<number> {
  const ends = await sql<{ first: number | null; last: number | null }>`
    SELECT min(position) AS first, max(position) AS last FROM roomserver_events
    WHERE room_nid = ${roomNid} AND position <= ${horizon} AND NOT is_outlier
  `.execute(deps.db);
  const { first, last } = ends.rows[0] ?? {};
  let low = first ?? 1;
  let high = (last ?? 0) + 1;
  while (low < high) {
    const step = Math.max(1, Math.floor((high - low) / probes));
    const places = Array.from({ length: probes }, (_, index) => low + index * step).filter((at) => at < high);
    const found = await eventsFrom(deps, roomNid, places);
    if (found.length === 0) return low;
    const beyond = found.findIndex(({ time }) => time === undefined || isBeyond(time));
    const notYet = found[beyond === -1 ? found.length - 1 : beyond - 1];
    if (beyond !== -1) high = Math.min(high, found[beyond]?.at ?? high);
    if (notYet === undefined) return low;
    low = notYet.position + 1;
  }
  return low;
}

interface Probe {
  at: number;
  position: number;
  /** Undefined for an event that cannot be read. */
  time: number | undefined;
}

/** The first event at or after each of the places. */
async function eventsFrom(deps: QueryDeps, roomNid: number, places: readonly number[]): Promise<Probe[]> {
  const result = await sql<{ at: number; position: number; json: string }>`
    SELECT q.at, e.position, e.json FROM unnest(${[...places]}::bigint[]) AS q (at)
    CROSS JOIN LATERAL (
      SELECT position, json FROM roomserver_events
      WHERE room_nid = ${roomNid} AND position >= q.at AND NOT is_outlier ORDER BY position LIMIT 1
    ) AS e ORDER BY q.at
  `.execute(deps.db);
  return result.rows.map(({ at, position, json }) => ({
    at,
    position,
    time: parsePdu(json)?.origin_server_ts,
  }));
}
