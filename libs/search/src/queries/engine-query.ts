import type { SearchRequest, VisibleRange } from '@seneschal/contracts';

import { searchableTypeNames, searchableTypes, type SearchableType } from '../documents/document.ts';
import type { EngineQuery } from '../engines/engine.ts';
import type { PageToken } from './tokens.ts';

/** What the engine is asked of a request; undefined when nothing can match. */
export function engineQuery(
  request: SearchRequest,
  words: readonly string[],
  ranges: readonly VisibleRange[],
  from: PageToken,
): Omit<EngineQuery, 'offset' | 'limit' | 'upTo'> | undefined {
  const { filter, order } = request;
  const types = wantedTypes(request);
  const scope = wantedRooms(request, ranges, from.group);
  const senders = wantedSenders(filter.senders, from.group);
  if (words.length === 0 || types.length === 0 || scope.length === 0 || senders?.length === 0)
    return undefined;
  return {
    words,
    order,
    scope,
    types,
    ...(senders === undefined ? {} : { senders }),
    ...(filter.notSenders === undefined ? {} : { notSenders: filter.notSenders }),
    ...(filter.containsUrl === undefined ? {} : { hasUrl: filter.containsUrl }),
  };
}

/** The types that the keys stand for and the filter lets through. */
function wantedTypes({ keys, filter }: SearchRequest): SearchableType[] {
  return searchableTypeNames.filter((type) => {
    if (keys?.includes(searchableTypes[type]) === false) return false;
    if (filter.notTypes?.some((pattern) => matches(type, pattern)) === true) return false;
    return filter.types?.some((pattern) => matches(type, pattern)) ?? true;
  });
}

/** `*` stands for any characters; walked part by part, so that no pattern is slow. */
function matches(type: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return type === pattern;
  if (!type.startsWith(first) || !type.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const found = type.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return from <= type.length - last.length;
}

function wantedRooms(
  { filter }: SearchRequest,
  ranges: readonly VisibleRange[],
  group: PageToken['group'],
): readonly VisibleRange[] {
  const only = group?.key === 'room_id' ? new Set([group.value]) : undefined;
  const rooms = filter.rooms === undefined ? undefined : new Set(filter.rooms);
  const notRooms = new Set(filter.notRooms);
  if (only === undefined && rooms === undefined && notRooms.size === 0) return ranges;
  return ranges.filter(
    ({ roomId }) => !notRooms.has(roomId) && (rooms?.has(roomId) ?? true) && (only?.has(roomId) ?? true),
  );
}

function wantedSenders(
  senders: readonly string[] | undefined,
  group: PageToken['group'],
): readonly string[] | undefined {
  if (group?.key !== 'sender') return senders;
  return senders === undefined || senders.includes(group.value) ? [group.value] : [];
}
