import { type SearchRequest, search } from '@seneschal/contracts';
import { z } from 'zod';

import { text } from '../rooms/shapes.ts';

/** Lists within a filter end up in one query each. */
const strings = z.array(text.max(255)).max(1000).optional();
const places = z.int().min(0).max(25).default(5);

const filter = z.looseObject({
  limit: z.int().min(0).optional(),
  rooms: strings,
  not_rooms: strings,
  types: strings,
  not_types: strings,
  senders: strings,
  not_senders: strings,
  contains_url: z.boolean().optional(),
});

const roomEvents = z.object({
  search_term: z.string().min(1, 'is empty').max(1000, 'is longer than 1000 characters'),
  keys: z.array(z.enum(search.searchKeys)).max(10).optional(),
  filter: filter.default({}),
  order_by: z.enum(['recent', 'rank']).default('rank'),
  event_context: z
    .object({ before_limit: places, after_limit: places, include_profile: z.boolean().default(false) })
    .optional(),
  include_state: z.boolean().default(false),
  groupings: z
    .object({
      group_by: z
        .array(z.object({ key: z.enum(['room_id', 'sender']) }))
        .max(10)
        .default([]),
    })
    .default({ group_by: [] }),
});

/** The body of `POST /search` (client-server API, "Server Side Search"). */
export const searchBody = z.object({ search_categories: z.object({ room_events: roomEvents.optional() }) });

export type RoomEventsCriteria = z.infer<typeof roomEvents>;

/** The request behind a body. */
export function requestOf(
  criteria: RoomEventsCriteria,
  by: { userId: string; deviceId: string; nextBatch: string | undefined },
): SearchRequest {
  const { filter: given, event_context: context } = criteria;
  return {
    userId: by.userId,
    deviceId: by.deviceId,
    term: criteria.search_term,
    order: criteria.order_by,
    includeState: criteria.include_state,
    groupBy: criteria.groupings.group_by.map(({ key }) => key),
    ...(criteria.keys === undefined ? {} : { keys: criteria.keys }),
    ...(by.nextBatch === undefined ? {} : { nextBatch: by.nextBatch }),
    ...(context === undefined
      ? {}
      : {
          context: {
            before: context.before_limit,
            after: context.after_limit,
            members: context.include_profile,
          },
        }),
    filter: filterOf(given),
  };
}

function filterOf(given: RoomEventsCriteria['filter']): SearchRequest['filter'] {
  return Object.fromEntries(
    Object.entries({
      limit: given.limit,
      rooms: given.rooms,
      notRooms: given.not_rooms,
      types: given.types,
      notTypes: given.not_types,
      senders: given.senders,
      notSenders: given.not_senders,
      containsUrl: given.contains_url,
    }).filter(([, value]) => value !== undefined),
  );
}
