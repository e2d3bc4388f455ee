import type { z } from 'zod';

import type { federation, RoomserverForFederation } from '@seneschal/contracts';
import { isEventId, isMatrixError, own, ownString } from '@seneschal/matrix';

import type { FederationClient } from '../transport/federation-client.ts';
import { Unreachable } from '../transport/https.ts';

type Input = z.infer<typeof federation.remoteTimestampToEvent.input>;
type Output = z.infer<typeof federation.remoteTimestampToEvent.output>;

export interface RemoteTimestampDeps {
  client: Pick<FederationClient, 'send'>;
  roomserver: Pick<RoomserverForFederation, 'joinedServers'>;
}

const maximumServers = 3;
const timeoutMs = 10_000;

/** See the contract. The servers with the most members are asked, one after the other, until one knows. */
export async function remoteTimestampToEvent(
  { client, roomserver }: RemoteTimestampDeps,
  { roomId, ts, direction }: Input,
): Promise<Output> {
  const servers = await roomserver.joinedServers(roomId);
  const path = `/_matrix/federation/v1/timestamp_to_event/${encodeURIComponent(roomId)}`;
  for (const destination of servers.slice(0, maximumServers)) {
    const uri = `${path}?ts=${ts}&dir=${direction}`;
    const answer = await client
      .send({ destination, method: 'GET', uri, timeoutMs, maxBytes: 65_536 })
      .catch((error: unknown) => {
        if (!isMatrixError(error) && !(error instanceof Unreachable)) throw error;
        return undefined;
      });
    const eventId = ownString(answer, 'event_id') ?? '';
    const at = own(answer, 'origin_server_ts');
    if (!isEventId(eventId) || !Number.isSafeInteger(at)) continue;
    const isInDirection = direction === 'f' ? Number(at) >= ts : Number(at) <= ts;
    if (isInDirection) return { eventId, originServerTs: Number(at) };
  }
  return null;
}
