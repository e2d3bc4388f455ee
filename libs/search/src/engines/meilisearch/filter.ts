import type { VisibleRange } from '@seneschal/contracts';

import type { EngineQuery } from '../engine.ts';
import { keyOf } from './documents.ts';

/** As the client takes it: all of the outer list must hold, and one of each inner list. */
export type FilterLists = (string | string[])[];

/** A filter costs about a tenth of a millisecond for each room; the parser has a limit for what is joined by OR. */
const maximumRooms = 1000;
const maximumRanges = 100;

/**
 * The filters of a query: what the user may see, and what the user asked for. A user in very many rooms makes
 * several, each for some of the rooms; together they hold all.
 */
export function filtersOf(query: EngineQuery): FilterLists[] {
  const common = [
    ...(Number.isFinite(query.upTo) ? [`position <= ${whole(query.upTo)}`] : []),
    `type IN ${list(query.types)}`,
    ...(query.senders === undefined ? [] : [`sender IN ${list(query.senders.map(keyOf))}`]),
    ...(query.notSenders === undefined || query.notSenders.length === 0
      ? []
      : [`sender NOT IN ${list(query.notSenders.map(keyOf))}`]),
    ...(query.hasUrl === undefined ? [] : [`has_url = ${String(query.hasUrl)}`]),
  ];
  return scopesOf(query.scope).map((scope) => [...common, scope]);
}

/** What is joined by OR, in parts that are not too large. */
export function scopesOf(ranges: readonly VisibleRange[]): string[][] {
  const whole = ranges.filter(isWholeRoom).map(({ roomId }) => keyOf(roomId));
  const parts = ranges.filter((range) => !isWholeRoom(range)).map(rangeFilter);
  const rooms = chunks(whole, maximumRooms).map((keys) => `room IN ${list(keys)}`);
  const ofParts = chunks(parts, maximumRanges);
  return Array.from({ length: Math.max(rooms.length, ofParts.length) }, (_, index) => [
    ...(rooms[index] === undefined ? [] : [rooms[index]]),
    ...(ofParts[index] ?? []),
  ]);
}

function isWholeRoom({ from, to }: VisibleRange): boolean {
  return from <= 0 && to === Infinity;
}

function rangeFilter({ roomId, from, to }: VisibleRange): string {
  const end = to === Infinity ? '' : ` AND position < ${whole(to)}`;
  return `room = "${keyOf(roomId)}" AND position >= ${whole(Math.max(0, from))}${end}`;
}

/** Keys and types of our own: nothing in them needs escaping. */
function list(values: readonly string[]): string {
  return `[${values.map((value) => `"${value}"`).join(', ')}]`;
}

function whole(position: number): string {
  return Math.floor(position).toFixed(0);
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
