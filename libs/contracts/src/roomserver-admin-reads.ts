import type { ReportsForAdmin } from './reports.ts';
import type { RoomFilter } from './room-jobs.ts';

/** What deleting rooms would delete, as the room server counts it. */
export interface RoomFootprint {
  rooms: number;
  events: number;
  /** Entries of the current state, memberships apart. */
  state: number;
  aliases: number;
  /** Local users who are joined, invited or knocking. */
  users: number;
  /** Other servers with joined members. */
  remoteServers: number;
  /** Of the texts of the events. */
  bytes: number;
  /** Rows by table. */
  rows: Record<string, number>;
}

/** What is kept of a deletion. Times in ms since 1970. */
export interface DeletionRecord {
  deletionId: string;
  roomId: string;
  requestedBy: string;
  createdTs: number;
  /** Since when nobody can find the room; null while it is still there. */
  purgedTs: number | null;
  /** Since when nothing of it is left. */
  finishedTs: number | null;
  /** Deleted rows by table. */
  counts: Record<string, number>;
  /** Over the IDs of the deleted events; see docs/flows/purge-room.md. */
  digest: string | null;
  exportFile: string | null;
}

export interface RoomserverForAdmin extends ReportsForAdmin {
  roomExists(roomId: string): Promise<boolean>;
  /** How many local users are joined, invited or knocking; undefined when there is no such room. */
  occupants(roomId: string): Promise<number | undefined>;
  /** How many rooms a user is joined or invited to, or knocks at. */
  occupiedRooms(userId: string): Promise<number>;
  /** How many other servers have joined members in some of the rooms. */
  remoteServers(roomIds: readonly string[]): Promise<number>;
  /** Rooms in which users of another server are joined, and how many; `after` is the last room of the page before. */
  roomsOfServer(
    serverName: string,
    page: { after?: string | undefined; limit: number },
  ): Promise<{ roomId: string; joinedMembers: number }[]>;
  /** Whether there is such a room, or one whose deletion has not come to its end. */
  isPurgeable(roomId: string): Promise<boolean>;
  /** Rooms without a joined local user; throws M_INVALID_PARAM for a `from` that is not of this list. */
  emptyRooms(page: {
    from?: string | undefined;
    limit: number;
  }): Promise<{ roomIds: string[]; next?: string }>;
  /** The rooms that meet every condition of a filter, the oldest first. */
  findRooms(selection: {
    filter: RoomFilter;
    exclude: readonly string[];
    limit: number;
  }): Promise<{ roomId: string; events: number }[]>;
  /** Of rooms that are there, and of those that are being deleted. */
  roomFootprint(roomIds: readonly string[]): Promise<RoomFootprint>;
  deletions(page: {
    roomId?: string | undefined;
    from?: string | undefined;
    limit: number;
  }): Promise<{ records: DeletionRecord[]; next?: string }>;
}
