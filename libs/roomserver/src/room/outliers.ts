import type { Kysely } from 'kysely';

import { referencedId } from '@seneschal/matrix';

import { type KnownEvent, readKnownEvents } from '../storage/foreign-reads.ts';
import type { HiddenKind, RoomserverTables } from '../storage/tables.ts';
import { createIdOf, refusalByAuthEvents } from './receive.ts';
import type { RoomDraft } from './room-draft.ts';
import type { ReceivedEvent } from './room-event.ts';

/** What became of each event: 'outlier' for those that the events they name allow. */
export interface JudgedOutliers {
  kinds: Map<string, HiddenKind>;
  /** Why events were refused, by their IDs. */
  refused: Map<string, string>;
  /** Everything that is known now, these events included. */
  known: Map<string, KnownEvent>;
}

/** Keeps events without a place in the history: auth events, and state of other times. */
export async function hideOutliers(
  db: Kysely<RoomserverTables>,
  draft: RoomDraft,
  events: readonly ReceivedEvent[],
): Promise<JudgedOutliers> {
  const judged = await judgeOutliers(db, draft, events);
  for (const { eventId, json } of events) {
    const kind = judged.kinds.get(eventId);
    if (kind !== undefined) draft.foreign.hidden.push({ eventId, kind, json });
  }
  return judged;
}

/**
 * Judges events by the events that they name themselves, whatever order they come in. One that names what is not there,
 * or is part of a cycle, is left out: it may come again with what it needs. Events that are known are passed over.
 */
export async function judgeOutliers(
  db: Kysely<RoomserverTables>,
  draft: RoomDraft,
  events: readonly ReceivedEvent[],
): Promise<JudgedOutliers> {
  const given = new Map(events.map((event) => [event.eventId, event]));
  const create = draft.room.version.roomIdIsCreateHash ? [createIdOf(draft.room.roomId)] : [];
  const named = events.flatMap(({ eventId, pdu }) => [eventId, ...pdu.auth_events.map(referencedId)]);
  const known = await readKnownEvents(db, [...create, ...named]);
  const judged: JudgedOutliers = { kinds: new Map(), refused: new Map(), known };
  for (const event of inOrder(given)) {
    if (known.has(event.eventId)) continue;
    const isIncomplete = event.pdu.auth_events.some((one) => !known.has(referencedId(one)));
    if (isIncomplete) {
      judged.refused.set(event.eventId, 'It names an auth event that was not sent');
      continue;
    }
    const refusal = refusalByAuthEvents(event.pdu, draft, known);
    const kind = refusal === undefined ? 'outlier' : 'rejected';
    judged.kinds.set(event.eventId, kind);
    if (refusal !== undefined) judged.refused.set(event.eventId, refusal);
    const { roomNid } = draft.room;
    known.set(event.eventId, { ...event, roomNid, kind, position: undefined, before: undefined });
  }
  return judged;
}

/** Auth events before what names them, and before all the create event, which from version 12 nothing names. Events in a cycle come too, before something that they name. */
function inOrder(given: ReadonlyMap<string, ReceivedEvent>): ReceivedEvent[] {
  const done = new Set<string>();
  const order: ReceivedEvent[] = [];
  const creates = [...given.values()].filter(({ pdu }) => pdu.type === 'm.room.create');
  for (const start of [...creates, ...given.values()]) {
    const stack = [{ event: start, isExpanded: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { event, isExpanded } = top;
      if (isExpanded) {
        order.push(event);
        continue;
      }
      if (done.has(event.eventId)) continue;
      done.add(event.eventId);
      stack.push({ event, isExpanded: true });
      for (const one of event.pdu.auth_events) {
        const parent = given.get(referencedId(one));
        if (parent !== undefined && !done.has(parent.eventId))
          stack.push({ event: parent, isExpanded: false });
      }
    }
  }
  return order;
}
