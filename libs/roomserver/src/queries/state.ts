import { sql } from 'kysely';

import type { StoredEvent } from '@seneschal/contracts';

import { redactErased } from './erasure.ts';
import { type EventRow, eventColumns, eventJoins, eventsAt, readEvents } from './event-rows.ts';
import type { QueryDeps } from './query-deps.ts';
import { bounded, viewRoom } from './room-view.ts';
import { allMemberPositions, statePositions } from './state-positions.ts';

/** The room's state: of now for members, as of leaving for those who left. M_FORBIDDEN for strangers. */
export async function state(deps: QueryDeps, roomId: string, userId: string): Promise<StoredEvent[]> {
  const view = await viewRoom(deps, roomId, userId);
  const ranges = [{ roomNid: view.roomNid, since: 0, bound: bounded(view.horizon) }];
  const positions = await Promise.all([statePositions(deps, ranges), allMemberPositions(deps, ranges)]);
  const events = await eventsAt(deps, positions.flat());
  await redactErased(deps, userId, events);
  return events;
}

/** One state event, under the same rules as `state`. */
export async function stateEvent(
  deps: QueryDeps,
  roomId: string,
  userId: string,
  type: string,
  stateKey: string,
): Promise<StoredEvent | undefined> {
  const view = await viewRoom(deps, roomId, userId);
  const result = await sql<EventRow>`
    SELECT ${eventColumns} FROM roomserver_events e ${eventJoins}
    WHERE e.room_nid = ${view.roomNid} AND e.type = ${type} AND e.state_key = ${stateKey}
      AND e.position <= ${bounded(view.horizon)}
    ORDER BY e.position DESC LIMIT 1
  `.execute(deps.db);
  const found = readEvents(deps, result.rows);
  await redactErased(deps, userId, found);
  return found[0];
}
