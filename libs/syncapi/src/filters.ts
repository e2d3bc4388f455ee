import type { EventFilter } from '@seneschal/contracts';
import { badJson, type JsonObject, notJson } from '@seneschal/matrix';
import { z } from 'zod';

/** Some of it is looked for in the database, which takes no NUL. */
const text = z.string().refine((value) => !value.includes('\0'), 'has a NUL character');
const strings = z.array(text).optional();

const eventFilter = z.looseObject({
  limit: z.int().min(0).optional(),
  types: strings,
  not_types: strings,
  senders: strings,
  not_senders: strings,
});

const roomEventFilter = eventFilter.extend({
  rooms: strings,
  not_rooms: strings,
  contains_url: z.boolean().optional(),
  lazy_load_members: z.boolean().optional(),
  include_redundant_members: z.boolean().optional(),
  unread_thread_notifications: z.boolean().optional(),
});

const syncFilter = z.looseObject({
  event_fields: strings,
  event_format: z.enum(['client', 'federation']).optional(),
  account_data: eventFilter.optional(),
  presence: eventFilter.optional(),
  room: z
    .looseObject({
      rooms: strings,
      not_rooms: strings,
      include_leave: z.boolean().optional(),
      state: roomEventFilter.optional(),
      timeline: roomEventFilter.optional(),
      ephemeral: roomEventFilter.optional(),
      account_data: roomEventFilter.optional(),
    })
    .optional(),
});

type AnyEventFilter = z.infer<typeof eventFilter>;
type RoomEventFilter = z.infer<typeof roomEventFilter>;

const defaultTimelineLimit = 10;
const largestTimeline = 100;

/** A sync filter in the form in which it is applied. */
export interface SyncFilter {
  timelineLimit: number;
  timeline: EventFilter | undefined;
  includeLeave: boolean;
  lazyLoadMembers: boolean;
  wantsRoom(roomId: string): boolean;
  wantsState(event: { type: string; sender: string }): boolean;
  wantsAccountData(type: string): boolean;
  wantsRoomAccountData(type: string): boolean;
  wantsEphemeral(type: string): boolean;
  /** Whether unread threads are counted apart. */
  countsThreads: boolean;
}

/** Reads a filter (client-server API, "Filtering"); throws M_BAD_JSON for values of a wrong type. */
export function compileFilter(definition: JsonObject): SyncFilter {
  const { room = {}, account_data: accountData = {} } = check(syncFilter, definition);
  const { timeline = {}, state = {} } = room;
  return {
    timelineLimit: Math.min(timeline.limit ?? defaultTimelineLimit, largestTimeline),
    timeline: toEventFilter(timeline),
    includeLeave: room.include_leave === true,
    lazyLoadMembers: state.lazy_load_members === true || timeline.lazy_load_members === true,
    wantsRoom: (roomId) => isWanted(roomId, room.rooms, room.not_rooms),
    wantsState: ({ type, sender }) =>
      wantsType(type, state) && isWanted(sender, state.senders, state.not_senders),
    wantsAccountData: (type) => wantsType(type, accountData),
    wantsRoomAccountData: (type) => wantsType(type, room.account_data ?? {}),
    wantsEphemeral: (type) => wantsType(type, room.ephemeral ?? {}),
    countsThreads: timeline.unread_thread_notifications === true,
  };
}

/** Reads the `filter` of messages, which is JSON in a query parameter. */
export function parseRoomEventFilter(text: string): { filter?: EventFilter; lazyLoadMembers: boolean } {
  const parsed = check(roomEventFilter, parseFilterText(text));
  const filter = toEventFilter(parsed);
  return {
    ...(filter === undefined ? {} : { filter }),
    lazyLoadMembers: parsed.lazy_load_members === true,
  };
}

/** Throws M_NOT_JSON. */
export function parseFilterText(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    throw notJson('The filter is not JSON.');
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw badJson(`filter.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

/** Undefined when it lets everything through. */
function toEventFilter(filter: RoomEventFilter): EventFilter | undefined {
  const parts: EventFilter = {
    ...(filter.types === undefined ? {} : { types: filter.types }),
    ...(filter.not_types === undefined ? {} : { notTypes: filter.not_types }),
    ...(filter.senders === undefined ? {} : { senders: filter.senders }),
    ...(filter.not_senders === undefined ? {} : { notSenders: filter.not_senders }),
    ...(filter.contains_url === undefined ? {} : { containsUrl: filter.contains_url }),
  };
  return Object.keys(parts).length === 0 ? undefined : parts;
}

function isWanted(value: string, only: string[] | undefined, not: string[] | undefined): boolean {
  return not?.includes(value) !== true && (only?.includes(value) ?? true);
}

function wantsType(type: string, filter: AnyEventFilter): boolean {
  if (filter.not_types?.some((pattern) => matches(type, pattern)) === true) return false;
  return filter.types?.some((pattern) => matches(type, pattern)) ?? true;
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
