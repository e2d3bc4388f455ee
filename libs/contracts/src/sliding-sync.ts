import type { JsonObject } from '@seneschal/matrix';
import { z } from 'zod';

const whole = z.int().min(0);
/** Text for the database, which takes no NUL. */
const short = z
  .string()
  .max(255)
  .refine((value) => !value.includes('\0'), 'has a NUL character');
const strings = z.array(short).max(100);

/** Pairs of event type and state key. */
const requiredState = z.array(z.tuple([short, short])).max(200);

const roomConfig = z.looseObject({
  timeline_limit: whole.default(1),
  required_state: requiredState.default([]),
});

const roomTypes = z.array(short.nullable()).max(100).optional();

const filters = z.looseObject({
  is_dm: z.boolean().nullish(),
  is_encrypted: z.boolean().nullish(),
  is_invite: z.boolean().nullish(),
  spaces: strings.nullish(),
  room_types: roomTypes,
  not_room_types: roomTypes,
  tags: strings.nullish(),
  not_tags: strings.nullish(),
});

const list = roomConfig.extend({
  /** Both ends are part of a range. */
  ranges: z
    .array(z.tuple([whole, whole]))
    .max(100)
    .optional(),
  slow_get_all_rooms: z.boolean().nullish(),
  filters: filters.nullish(),
});

const extension = z.looseObject({ enabled: z.boolean().nullish() });

/** Of the rooms that are told, those of these lists and these rooms. */
const roomExtension = extension.extend({ lists: strings.nullish(), rooms: strings.nullish() });

/** The body of a request of sliding sync (MSC4186, in the form that clients send today). */
export const slidingSyncBody = z.looseObject({
  conn_id: short.optional(),
  txn_id: short.optional(),
  lists: z.record(short, list).default({}),
  room_subscriptions: z.record(short, roomConfig).default({}),
  extensions: z
    .looseObject({
      to_device: extension.extend({ since: short.nullish(), limit: whole.nullish() }).optional(),
      e2ee: extension.optional(),
      account_data: roomExtension.optional(),
      receipts: roomExtension.optional(),
      typing: roomExtension.optional(),
    })
    .default({}),
});

export type SlidingSyncBody = z.infer<typeof slidingSyncBody>;
export type SlidingList = z.infer<typeof list>;
export type SlidingFilters = z.infer<typeof filters>;
export type SlidingRoomConfig = z.infer<typeof roomConfig>;
export type SlidingRoomExtension = z.infer<typeof roomExtension>;

export interface SlidingSyncRequest {
  userId: string;
  deviceId: string;
  /** Of the answer before; undefined for the first request of a connection. */
  pos: string | undefined;
  timeoutMs: number;
  body: SlidingSyncBody;
  signal: AbortSignal;
}

export interface SlidingSyncForClient {
  /**
   * Sliding sync: answers at once when there is something new in the rooms that are asked for, else when there is or
   * the time is up. Throws M_UNKNOWN_POS for a `pos` that is not known (any more), M_INVALID_PARAM for too many lists.
   */
  slidingSync(request: SlidingSyncRequest): Promise<JsonObject>;
}
