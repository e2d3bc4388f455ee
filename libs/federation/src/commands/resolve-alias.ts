import {
  isMatrixError,
  isRoomId,
  isServerName,
  MatrixError,
  notFound,
  ownString,
  serverNameOf,
} from '@seneschal/matrix';

import { listOf } from '../inbound/receive-in-room.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';

const maximumServers = 50;

/** Asks the alias's server, and has the servers that it names checked to be names. */
export async function resolveAlias(
  { client }: { client: Pick<FederationClient, 'send'> },
  { alias }: { alias: string },
): Promise<{ roomId: string; servers: string[] }> {
  const destination = serverNameOf(alias) ?? '';
  const uri = `/_matrix/federation/v1/query/directory?room_alias=${encodeURIComponent(alias)}`;
  const answer = await client.send({ destination, method: 'GET', uri }).catch((error: unknown) => {
    if (isMatrixError(error) && error.status === 404) throw notFound('No room has this alias.');
    if (!isMatrixError(error) && !(error instanceof Unreachable)) throw error;
    throw new MatrixError(502, 'M_UNKNOWN', `${destination} could not be asked: ${error.message}`);
  });
  const roomId = ownString(answer, 'room_id') ?? '';
  if (!isRoomId(roomId))
    throw new MatrixError(502, 'M_UNKNOWN', `${destination} did not answer with a room.`);
  const named = listOf(answer, 'servers').filter((name): name is string => typeof name === 'string');
  const servers = [...new Set([destination, ...named.filter((name) => isServerName(name))])];
  return { roomId, servers: servers.slice(0, maximumServers) };
}
