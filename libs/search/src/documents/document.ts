import type { IndexableEvent, SearchKey } from '@seneschal/contracts';
import { own, ownString, type JsonObject } from '@seneschal/matrix';

import { wellFormed } from './term.ts';

/** What the index holds of one event. */
export interface SearchDocument {
  eventId: string;
  roomId: string;
  sender: string;
  type: SearchableType;
  position: number;
  /** Whether the content has a `url`, as files and pictures have. */
  hasUrl: boolean;
  text: string;
}

/** The types that are indexed, with the place of their text as the client-server API names it. */
export const searchableTypes = {
  'm.room.message': 'content.body',
  'm.room.name': 'content.name',
  'm.room.topic': 'content.topic',
} as const satisfies Record<string, SearchKey>;

export type SearchableType = keyof typeof searchableTypes;

export const searchableTypeNames = Object.keys(searchableTypes) as SearchableType[];

export function isSearchableType(type: string): type is SearchableType {
  return Object.hasOwn(searchableTypes, type);
}

/** The event that a message replaces (client-server API, "Event replacements"); undefined when it replaces none. */
export function replacedBy({ type, pdu, isRedacted }: IndexableEvent): string | undefined {
  if (type !== 'm.room.message' || pdu === undefined || isRedacted) return undefined;
  const relation = own(pdu.content, 'm.relates_to');
  return ownString(relation, 'rel_type') === 'm.replace' ? ownString(relation, 'event_id') : undefined;
}

/** The event that a redaction is about: room version 11 moved it into the content. */
export function redactedBy({ type, pdu }: IndexableEvent): string | undefined {
  if (type !== 'm.room.redaction' || pdu === undefined) return undefined;
  return pdu.redacts ?? ownString(pdu.content, 'redacts');
}

/** Whether an edit counts: it is by the same sender, in the same room, and of a message that is no edit itself. */
function isValidEdit(edit: IndexableEvent, original: IndexableEvent): boolean {
  return (
    replacedBy(edit) === original.eventId &&
    edit.roomId === original.roomId &&
    edit.pdu?.sender === original.pdu?.sender &&
    edit.pdu?.state_key === undefined &&
    own(edit.pdu?.content, 'm.new_content') !== undefined
  );
}

/** The newest by the sender's clock, then by ID, as the specification orders them. */
function newest(edits: readonly IndexableEvent[]): IndexableEvent | undefined {
  const time = (event: IndexableEvent): number => event.pdu?.origin_server_ts ?? 0;
  return edits.reduce<IndexableEvent | undefined>((best, edit) => {
    if (best === undefined || time(edit) > time(best)) return edit;
    return time(edit) === time(best) && edit.eventId > best.eventId ? edit : best;
  }, undefined);
}

/** The document of an event with its edits; undefined when there is nothing of it to be found. */
export function documentOf(
  event: IndexableEvent,
  edits: readonly IndexableEvent[] = [],
): SearchDocument | undefined {
  const { pdu, type, isRedacted, eventId, roomId, position } = event;
  if (pdu === undefined || isRedacted || !isSearchableType(type)) return undefined;
  const isState = pdu.state_key !== undefined;
  if (isState === (type === 'm.room.message') || replacedBy(event) !== undefined) return undefined;
  const edit = newest(edits.filter((one) => isValidEdit(one, event)));
  const content = edit === undefined ? pdu.content : own(edit.pdu?.content, 'm.new_content');
  const text = textOf(type, content as JsonObject);
  if (text === undefined || typeof pdu.sender !== 'string') return undefined;
  const hasUrl = ownString(content, 'url') !== undefined;
  return { eventId, roomId, sender: pdu.sender, type, position, hasUrl, text };
}

/** Without what no index can hold: NUL and halves of surrogate pairs. */
function textOf(type: SearchableType, content: JsonObject): string | undefined {
  const key = searchableTypes[type].slice('content.'.length);
  const text = wellFormed(ownString(content, key)?.replaceAll('\0', ' ') ?? '');
  return text.trim() === '' ? undefined : text;
}
