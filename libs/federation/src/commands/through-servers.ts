import type { RoomserverForFederation } from '@seneschal/contracts';
import {
  forbidden,
  isMatrixError,
  isServerName,
  MatrixError,
  notFound,
  type Signer,
} from '@seneschal/matrix';
import type { Logger } from '@seneschal/observability';

import { Unreachable } from '../transport/https.ts';

export interface ThroughServersDeps {
  signer: Signer;
  roomserver: Pick<RoomserverForFederation, 'federatedRoom'>;
  logger: Pick<Logger, 'info'>;
}

const maximumServers = 8;

/**
 * Enters a room, or asks to, through the first server that allows it. Throws before any server is asked when the room is
 * blocked or being deleted here; else what the last server said, or 502 M_UNKNOWN when none could be reached.
 */
export async function throughServers<T>(
  deps: ThroughServersDeps,
  { roomId, servers: given }: { roomId: string; servers: readonly string[] },
  through: (server: string) => Promise<T>,
): Promise<T> {
  const known = await deps.roomserver.federatedRoom(roomId);
  // Before any other server has the user in the room.
  if (known?.isBlocked === true) throw forbidden('An administrator has blocked this room.');
  if (known?.isClosed === true) throw forbidden('An administrator is deleting or restoring this room.');
  const servers = new Set(given.filter((name) => isServerName(name)));
  servers.delete(deps.signer.serverName);
  if (servers.size === 0) {
    throw notFound('There is no such room on this server, and no other server was named.');
  }
  let failure: unknown;
  for (const server of [...servers].slice(0, maximumServers)) {
    try {
      return await through(server);
    } catch (error) {
      if (!isMatrixError(error) && !(error instanceof Unreachable)) throw error;
      deps.logger.info({ server, roomId, reason: error.message }, 'a room could not be entered');
      failure = isMatrixError(error) ? error : (failure ?? error);
    }
  }
  if (isMatrixError(failure)) throw failure;
  const reason = failure instanceof Error ? failure.message : 'No server could be reached.';
  throw new MatrixError(502, 'M_UNKNOWN', `The room could not be entered: ${reason}`);
}
