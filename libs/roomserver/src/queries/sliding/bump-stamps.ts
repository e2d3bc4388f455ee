import { sql } from 'kysely';

import type { BumpStamp } from '@seneschal/contracts';

import { notIgnored, type ReaderDeps, readerOf } from '../ignoring.ts';

/** MSC4186, `bump_stamp`: what counts as activity. Other events, such as joins, move no room up. */
const activity = [
  'm.room.create',
  'm.room.message',
  'm.room.encrypted',
  'm.sticker',
  'm.call.invite',
  'm.poll.start',
  'm.beacon_info',
];

/** A room with a million joins and no message is not looked through to its beginning. */
const mostLookedAt = 200;

export async function bumpStamps(
  deps: ReaderDeps,
  userId: string,
  roomIds: readonly string[],
  until: number,
): Promise<Map<string, BumpStamp>> {
  if (roomIds.length === 0) return new Map();
  const reader = await readerOf(deps, userId);
  const result = await sql<{ room_id: string; first: number | null; bump: number | null }>`
    SELECT r.room_id, looked.first, (
      SELECT e.position FROM roomserver_events e
      WHERE e.room_nid = r.room_nid AND e.position >= looked.first AND e.position <= ${until} AND NOT e.is_outlier
        AND e.type = ANY(${activity}::text[]) AND ${notIgnored(reader)}
      ORDER BY e.position DESC LIMIT 1
    ) AS bump
    FROM roomserver_rooms r CROSS JOIN LATERAL (
      SELECT min(position) AS first FROM (
        SELECT position FROM roomserver_events WHERE room_nid = r.room_nid AND position <= ${until}
        ORDER BY position DESC LIMIT ${mostLookedAt}
      ) AS newest
    ) AS looked
    WHERE r.room_id = ANY(${[...roomIds]}::text[])
  `.execute(deps.db);
  return new Map(
    result.rows.map(({ room_id: roomId, first, bump }) => [
      roomId,
      { position: bump ?? first ?? 0, isExact: bump !== null },
    ]),
  );
}
