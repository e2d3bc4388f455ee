import type { JsonObject } from '@seneschal/matrix';

import type { PublicRoom } from './roomserver-reads.ts';

/** A room as a space hierarchy tells of it. */
export interface SpaceRoom extends PublicRoom {
  roomVersion: string;
  /** The algorithm, of a room that is encrypted. */
  encryption?: string;
  /** Of a restricted room those whose members may join it. */
  allowedRooms: string[];
  /** Stripped `m.space.child` events with their times, in the order in which clients show them. */
  childrenState: (JsonObject & { state_key: string })[];
  /** Whether anybody may know of the room, being able to read, join or knock at it. */
  isOpen: boolean;
}
