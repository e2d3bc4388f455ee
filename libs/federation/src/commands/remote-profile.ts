import type { z } from 'zod';

import type { federation } from '@seneschal/contracts';
import { isMatrixError, type JsonObject, MatrixError, notFound, serverNameOf } from '@seneschal/matrix';

import type { FederationClient } from '../transport/federation-client.ts';
import { notAsked } from '../transport/not-asked.ts';

type Input = z.infer<typeof federation.remoteProfile.input>;
type Output = z.infer<typeof federation.remoteProfile.output>;

const timeoutMs = 15_000;
/** The specification keeps a profile below 64 KiB. */
const maximumBytes = 128 * 1024;

/** See the contract. A display name and an avatar that are no texts are left out. */
export async function remoteProfile(
  { client }: { client: Pick<FederationClient, 'send'> },
  { userId }: Input,
): Promise<Output> {
  const destination = serverNameOf(userId) ?? '';
  const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(userId)}`;
  const answer: unknown = await client
    .send({ destination, method: 'GET', uri, timeoutMs, maxBytes: maximumBytes })
    .catch((error: unknown) => {
      if (isMatrixError(error) && error.status === 404) throw notFound('There is no profile of that user.');
      return notAsked(destination)(error);
    });
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw new MatrixError(502, 'M_UNKNOWN', `${destination} did not answer with a profile.`);
  }
  const isShown = ([name, value]: [string, unknown]): boolean =>
    typeof value === 'string' || (name !== 'displayname' && name !== 'avatar_url');
  return { profile: Object.fromEntries(Object.entries(answer as JsonObject).filter(isShown)) };
}
