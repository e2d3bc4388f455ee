import type { RoomDataReads, RoomserverForAdmin } from '@seneschal/contracts';

export interface CountDeps {
  roomserver: Pick<RoomserverForAdmin, 'roomFootprint'>;
  /** The components beside the room server that keep something of rooms. */
  keepers: readonly RoomDataReads[];
}

/** What deleting rooms would delete, counted exactly and over all components. */
export async function countRooms(
  { roomserver, keepers }: CountDeps,
  roomIds: readonly string[],
): Promise<Record<'rooms' | 'rows', number> & Record<string, number>> {
  const [footprint, ...kept] = await Promise.all([
    roomserver.roomFootprint(roomIds),
    ...keepers.map((keeper) => keeper.countRoomData(roomIds)),
  ]);
  const rows = Object.assign({ ...footprint.rows }, ...kept) as Record<string, number>;
  return {
    rooms: footprint.rooms,
    events: footprint.events,
    state: footprint.state,
    users: footprint.users,
    aliases: footprint.aliases,
    reports: rows['roomserver_reports'] ?? 0,
    index_documents: rows['index_documents'] ?? 0,
    account_data: rows['userapi_account_data'] ?? 0,
    remote_servers: footprint.remoteServers,
    bytes: footprint.bytes,
    rows: Object.values(rows).reduce((sum, count) => sum + count, 0),
  };
}
