import type { Endpoint } from '@seneschal/http';

import { deletions } from './deletions.ts';
import { downloadState, type DownloadStateDeps } from './download-state.ts';
import { emptyRooms } from './empty-rooms.ts';
import { importRoom } from './import-room.ts';
import { purgeRoom, type PurgeRoomDeps } from './purge-room.ts';
import { purgeRooms, type PurgeRoomsDeps } from './purge-rooms.ts';

type Deps = PurgeRoomDeps &
  PurgeRoomsDeps &
  DownloadStateDeps &
  Parameters<typeof deletions>[0] &
  Parameters<typeof emptyRooms>[0];

/** Deleting rooms, finding those that nobody is in, bringing one back, and repairing the state of one. */
export function roomEndpoints(deps: Deps): Endpoint[] {
  return [
    purgeRoom(deps),
    emptyRooms(deps),
    purgeRooms(deps),
    importRoom(deps),
    deletions(deps),
    ...downloadState(deps),
  ];
}
