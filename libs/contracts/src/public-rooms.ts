import { isRoomId } from '@seneschal/matrix';
import { z } from 'zod';

import { command } from './command.ts';
import type { PublicRoom } from './roomserver-reads.ts';
import type { SpaceRoom } from './space-rooms.ts';

/** A room of a directory, as clients and servers are told of it. */
export const publicRoomEntry = z.object({
  room_id: z.string().refine(isRoomId),
  name: z.string().optional(),
  topic: z.string().optional(),
  canonical_alias: z.string().optional(),
  avatar_url: z.string().optional(),
  num_joined_members: z.number(),
  world_readable: z.boolean(),
  guest_can_join: z.boolean(),
  join_rule: z.string().default('public'),
  room_type: z.string().optional(),
});

/** The answer of `/publicRooms`, which is the same for clients and for servers. */
export const publicRoomsPage = z.object({
  chunk: z.array(publicRoomEntry),
  next_batch: z.string().optional(),
  prev_batch: z.string().optional(),
  total_room_count_estimate: z.number(),
});

/** Clients send null for what they leave out. */
function orNull<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** What `POST /publicRooms` takes, of clients and of servers. */
export const publicRoomsSearch = z.object({
  limit: z.int().min(0).optional(),
  since: z.string().max(1024).optional(),
  filter: orNull(
    z.object({
      generic_search_term: orNull(z.string().max(1024)),
      room_types: orNull(z.array(z.string().max(255).nullable()).max(50)),
    }),
  ),
});

/**
 * Asks another server for its directory of public rooms. Entries that are none are left out. 502 M_UNKNOWN with the
 * reason when it cannot be asked.
 */
export const remotePublicRooms = command('federation', 'remotePublicRooms', {
  input: z.object({ serverName: z.string(), search: publicRoomsSearch }),
  output: publicRoomsPage,
});

export function publicRoomEntryOf(room: PublicRoom): z.infer<typeof publicRoomEntry> {
  return {
    room_id: room.roomId,
    name: room.name,
    topic: room.topic,
    canonical_alias: room.canonicalAlias,
    avatar_url: room.avatarUrl,
    num_joined_members: room.joinedMembers,
    world_readable: room.worldReadable,
    guest_can_join: room.guestCanJoin,
    join_rule: room.joinRule,
    room_type: room.roomType,
  };
}

/** A room of a space as clients and other servers have it. */
export const spaceRoomEntry = publicRoomEntry.extend({
  room_version: z.string(),
  encryption: z.string().optional(),
  allowed_room_ids: z.array(z.string()).optional(),
});

/** A room as another server tells of it: older ones do not say its version. */
export const foreignRoomEntry = spaceRoomEntry.extend({ room_version: z.string().optional() });

/**
 * Asks servers, one after the other, what a room is that this server is not in. What comes back is what this server may
 * know: whether a user may is for the caller to judge. Null when none of them knows.
 */
export const remoteRoomSummary = command('federation', 'remoteRoomSummary', {
  input: z.object({ roomId: z.string(), servers: z.array(z.string()) }),
  output: z.object({ room: foreignRoomEntry.nullable() }),
  timeoutMs: 60_000,
});

export function spaceRoomEntryOf(room: SpaceRoom): z.infer<typeof spaceRoomEntry> {
  const { roomVersion, encryption, allowedRooms } = room;
  return {
    ...publicRoomEntryOf(room),
    room_version: roomVersion,
    ...(encryption === undefined ? {} : { encryption }),
    ...(allowedRooms.length === 0 ? {} : { allowed_room_ids: allowedRooms }),
  };
}

/** A page of the room server's as it is answered. */
export function publicRoomsPageOf(found: {
  rooms: PublicRoom[];
  nextBatch?: string;
  prevBatch?: string;
  total: number;
}): z.infer<typeof publicRoomsPage> {
  return {
    chunk: found.rooms.map(publicRoomEntryOf),
    ...(found.nextBatch === undefined ? {} : { next_batch: found.nextBatch }),
    ...(found.prevBatch === undefined ? {} : { prev_batch: found.prevBatch }),
    total_room_count_estimate: found.total,
  };
}
