import { sql } from 'kysely';

import type { RoomStateAt } from '@seneschal/contracts';

import { stateBefore as stateAtOf } from '../../room/fork-states.ts';
import { readKnownEvents, stateAsOf } from '../../storage/foreign-reads.ts';
import type { QueryDeps } from '../query-deps.ts';
import { authChainOf, jsonOf } from './pdus.ts';

/** The state before an event with its auth chain; undefined where it is not known. */
export async function stateBefore(
  deps: QueryDeps,
  roomId: string,
  eventId: string,
): Promise<RoomStateAt | undefined> {
  const event = (await readKnownEvents(deps.db, [eventId])).get(eventId);
  const before = event && stateAtOf(event);
  if (event === undefined || before === undefined) return undefined;
  const room = await sql`
    SELECT FROM roomserver_rooms WHERE room_nid = ${event.roomNid} AND room_id = ${roomId} AND NOT is_closed
  `.execute(deps.db);
  if (room.rows.length === 0) return undefined;
  const entries = new Map([...(await stateAsOf(deps.db, event.roomNid, before.base)), ...before.changes]);
  const ids = [...entries.values()].flatMap((entry) => entry.eventId ?? []);
  const state = await readKnownEvents(deps.db, ids);
  return { state: jsonOf(state), authChain: jsonOf(await authChainOf(deps, roomId, state)) };
}
