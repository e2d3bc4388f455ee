import type { z } from 'zod';

import { type federation, publicRoomEntry } from '@seneschal/contracts';
import { own, ownString } from '@seneschal/matrix';

import { listOf } from '../inbound/receive-in-room.ts';
import type { FederationClient } from '../transport/federation-client.ts';
import { notAsked } from '../transport/not-asked.ts';

type Input = z.infer<typeof federation.remotePublicRooms.input>;
type Output = z.infer<typeof federation.remotePublicRooms.output>;

const timeoutMs = 15_000;
const maximumBytes = 4 * 1024 * 1024;
const maximumRooms = 500;
const maximumTokenLength = 1024;

/** See the contract. Of each entry what has the right form is passed on, and nothing else. */
export async function remotePublicRooms(
  { client }: { client: Pick<FederationClient, 'send'> },
  { serverName, search }: Input,
): Promise<Output> {
  const { limit = maximumRooms, since, filter } = search;
  const content = {
    limit: Math.min(Math.max(limit, 1), maximumRooms),
    ...(since === undefined ? {} : { since }),
    filter: {
      ...(filter?.generic_search_term === undefined
        ? {}
        : { generic_search_term: filter.generic_search_term }),
      ...(filter?.room_types === undefined ? {} : { room_types: filter.room_types }),
    },
  };
  const uri = '/_matrix/federation/v1/publicRooms';
  const answer = await client
    .send({ destination: serverName, method: 'POST', uri, content, timeoutMs, maxBytes: maximumBytes })
    .catch(notAsked(serverName));
  const chunk = listOf(answer, 'chunk')
    .slice(0, maximumRooms)
    .flatMap((entry) => publicRoomEntry.safeParse(entry).data ?? []);
  const total = own(answer, 'total_room_count_estimate');
  return {
    chunk,
    ...tokenOf('next_batch', answer),
    ...tokenOf('prev_batch', answer),
    total_room_count_estimate: Number.isSafeInteger(total) ? Number(total) : chunk.length,
  };
}

function tokenOf<K extends string>(key: K, answer: unknown): Partial<Record<K, string>> {
  const token = ownString(answer, key);
  if (token === undefined || token.length > maximumTokenLength) return {};
  return { [key]: token } as Partial<Record<K, string>>;
}
