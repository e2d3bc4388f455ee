import type { Membership } from './roomserver-reads.ts';
import type { SpaceRoom } from './space-rooms.ts';

export interface HierarchyRequest {
  /** How many levels below the space are walked. */
  maxDepth: number;
  suggestedOnly: boolean;
  /** Rooms of the tree that come before the page. */
  offset: number;
  limit: number;
}

export interface HierarchyPage {
  /** Those that are no spaces have no children. */
  rooms: SpaceRoom[];
  hasMore: boolean;
}

export interface SpacesForClient {
  /** A page of a space tree, depth first, as far as the user may know of its rooms. M_FORBIDDEN. */
  spaceHierarchy(roomId: string, userId: string, request: HierarchyRequest): Promise<HierarchyPage>;
  /** Undefined when there is no such room, or none that the user may know of. */
  roomPreview(
    roomId: string,
    userId: string,
  ): Promise<{ room: SpaceRoom; membership: Membership | undefined } | undefined>;
}
