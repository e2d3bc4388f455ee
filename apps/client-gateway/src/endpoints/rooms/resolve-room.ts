import type { CallBus } from '@seneschal/bus';
import { federation, type RoomserverForClient } from '@seneschal/contracts';
import { invalidParam, isRoomAlias, notFound, serverNameOf } from '@seneschal/matrix';

export interface ResolveDeps {
  bus: CallBus;
  roomserver: Pick<RoomserverForClient, 'roomIdByAlias'>;
  serverName: string;
}

export interface ResolvedRoom {
  roomId: string;
  /** Servers that are in the room, as the server of the alias knows them. */
  servers: string[];
}

/** The room that a room ID or an alias names. M_NOT_FOUND for an alias that its server does not know. */
export async function resolveRoom(deps: ResolveDeps, roomIdOrAlias: string): Promise<ResolvedRoom> {
  if (roomIdOrAlias.startsWith('!')) return { roomId: roomIdOrAlias, servers: [] };
  if (!isRoomAlias(roomIdOrAlias)) throw invalidParam('That is neither a room ID nor a room alias.');
  return resolveAlias(deps, roomIdOrAlias);
}

/** Asks the alias's own server; 502 M_UNKNOWN when it cannot be asked. */
export async function resolveAlias(
  { bus, roomserver, serverName }: ResolveDeps,
  alias: string,
): Promise<ResolvedRoom> {
  if (serverNameOf(alias) !== serverName) return bus.call(federation.resolveAlias, { alias });
  const roomId = await roomserver.roomIdByAlias(alias);
  if (roomId === undefined) throw notFound('No room has this alias.');
  return { roomId, servers: [serverName] };
}
