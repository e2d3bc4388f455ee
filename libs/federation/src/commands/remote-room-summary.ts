import type { z } from 'zod';

import { type federation, foreignRoomEntry } from '@seneschal/contracts';
import { isMatrixError, isServerName, own, type Signer } from '@seneschal/matrix';

import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';

type Input = z.infer<typeof federation.remoteRoomSummary.input>;
type Output = z.infer<typeof federation.remoteRoomSummary.output>;

export interface RemoteRoomSummaryDeps {
  client: Pick<FederationClient, 'send'>;
  signer: Pick<Signer, 'serverName'>;
}

const maximumServers = 3;
const timeoutMs = 8000;
const maximumBytes = 4 * 1024 * 1024;
/** State events, which a summary is made of, are no larger. */
const maximumRoomLength = 65_536;

/** See the contract. Of the answer what has the right form, and is of the room that was asked for, is passed on. */
export async function remoteRoomSummary(
  { client, signer }: RemoteRoomSummaryDeps,
  { roomId, servers }: Input,
): Promise<Output> {
  const others = new Set(servers.filter((name) => isServerName(name) && name !== signer.serverName));
  const uri = `/_matrix/federation/v1/hierarchy/${encodeURIComponent(roomId)}?suggested_only=true`;
  for (const destination of [...others].slice(0, maximumServers)) {
    const answer = await client
      .send({ destination, method: 'GET', uri, timeoutMs, maxBytes: maximumBytes })
      .catch((error: unknown) => {
        if (!isMatrixError(error) && !(error instanceof Unreachable)) throw error;
        return undefined;
      });
    const room = foreignRoomEntry.safeParse(own(answer, 'room')).data;
    if (room?.room_id === roomId && JSON.stringify(room).length <= maximumRoomLength) return { room };
  }
  return { room: null };
}
