import type { Kysely } from 'kysely';

import type { IndexableEvent, RoomserverForSearch } from '@seneschal/contracts';

import type { IndexChanges } from '../engines/engine.ts';
import { editsOf, insertEdits, targetsOf } from '../storage/edits.ts';
import type { SearchTables } from '../storage/tables.ts';
import { documentOf, isSearchableType, redactedBy, replacedBy, searchableTypeNames } from './document.ts';

export interface ChangesDeps {
  db: Kysely<SearchTables>;
  roomserver: Pick<RoomserverForSearch, 'eventsById'>;
}

/** The types of events that have an effect on the index. */
export const followedTypes: readonly string[] = [...searchableTypeNames, 'm.room.redaction'];

/**
 * What a batch of events changes in the index. The state of the index follows from the rooms alone: every event
 * that may look different now is looked at anew, with its edits, so that doing it twice or late does no harm.
 */
export async function changesOf(deps: ChangesDeps, events: readonly IndexableEvent[]): Promise<IndexChanges> {
  const edits = events.flatMap((event) => {
    const targetId = replacedBy(event);
    return targetId === undefined ? [] : [{ editId: event.eventId, targetId, roomId: event.roomId }];
  });
  await insertEdits(deps.db, edits);
  const redacted = events.flatMap((event) => redactedBy(event) ?? []);
  const touched = new Set([
    ...events.filter(({ type }) => isSearchableType(type)).map((event) => event.eventId),
    ...edits.map((edit) => edit.targetId),
    ...redacted,
    ...(await targetsOf(deps.db, redacted)),
  ]);
  for (const { editId } of edits) touched.delete(editId);
  return lookAt(deps, [...touched], events);
}

/** What has to be changed for some events, whatever the index holds of them. `known` saves reading them again. */
export async function lookAt(
  deps: ChangesDeps,
  eventIds: readonly string[],
  known: readonly IndexableEvent[] = [],
): Promise<IndexChanges> {
  const byId = new Map(known.map((event) => [event.eventId, event]));
  const edits = await editsOf(deps.db, eventIds);
  const missing = [...eventIds, ...[...edits.values()].flat()].filter((id) => !byId.has(id));
  for (const event of await deps.roomserver.eventsById([...new Set(missing)])) byId.set(event.eventId, event);
  const changes: IndexChanges = { put: [], remove: [] };
  for (const eventId of eventIds) {
    const event = byId.get(eventId);
    if (event !== undefined && !isSearchableType(event.type)) continue;
    const editsOfEvent = (edits.get(eventId) ?? []).flatMap((id) => byId.get(id) ?? []);
    const document = event && documentOf(event, editsOfEvent);
    if (document === undefined) changes.remove.push(eventId);
    else changes.put.push(document);
  }
  return changes;
}
