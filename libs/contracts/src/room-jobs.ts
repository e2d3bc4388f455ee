import { z } from 'zod';

import { jobKind } from './jobs.ts';

/** What is done to a room besides deleting it. */
export const purgeOptions = z.object({
  /** Whether the room stays blocked: local users are kept from entering a room of its ID. */
  block: z.boolean(),
  /** Whether local users leave by events of their own first, which is what other servers hear. */
  evacuate: z.boolean(),
  /** Whether the room is written to an archive first, from which it can be restored. */
  export: z.boolean(),
});

/**
 * Deletes a room with everything that names it, in every component. M_NOT_FOUND when there is no such room.
 * A deletion that was begun and not finished is gone on with.
 */
export const purgeRoomJob = jobKind({
  component: 'roomserver',
  name: 'purge_room',
  input: purgeOptions.extend({ roomId: z.string() }),
  target: ({ roomId }) => roomId,
  phases: ['close', 'export', 'evacuate', 'remember', 'detach', 'delete', 'components', 'forget', 'verify'],
  weight: 'heavy',
});

/** Which rooms: those that meet every condition that is given. */
export const roomFilter = z.object({
  /** No local user is joined, and nothing has happened in the room for so many days. */
  emptyForDays: z.number().optional(),
  /** The name of the room; `*` stands for any text. */
  name: z.string().optional(),
  /** Who made the room. */
  creator: z.string().optional(),
  /** The server of the user who made the room. */
  server: z.string().optional(),
  roomIds: z.array(z.string()).optional(),
});
export type RoomFilter = z.infer<typeof roomFilter>;

/** Deletes rooms that a filter finds, each by a job of its own, at most `limit` of them. */
export const purgeRoomsJob = jobKind({
  component: 'roomserver',
  name: 'purge_rooms',
  input: purgeOptions.extend({
    filter: roomFilter,
    /** Rooms that are never deleted, whatever the filter finds. */
    exclude: z.array(z.string()),
    limit: z.number(),
  }),
  target: ({ filter }) => JSON.stringify(filter),
  phases: ['purge', 'wait'],
  weight: 'light',
  keeps: 'all',
});

/** Restores a room from its archive. M_ROOM_IN_USE when the room exists, M_BAD_JSON for a bad archive. */
export const importRoomJob = jobKind({
  component: 'roomserver',
  name: 'import_room',
  input: z.object({
    file: z.string(),
    /** Checks the archive and counts what is in it, and stores nothing. */
    dryRun: z.boolean().default(false),
  }),
  target: ({ file, dryRun }) => (dryRun ? `${file} (rehearsal)` : file),
  phases: ['check', 'store', 'publish'],
  weight: 'heavy',
});
