import type { UserapiForGateways } from '@seneschal/contracts';
import { accessToken, type EndpointRequest, hashToken, requesterOf } from '@seneschal/http';

/**
 * For public endpoints that ask another server in some cases: only for who is logged in, so that nobody else has this
 * server make requests. Throws M_MISSING_TOKEN, M_UNKNOWN_TOKEN or M_USER_LOCKED.
 */
export async function requireLoggedIn(
  { userapi }: { userapi: Pick<UserapiForGateways, 'requesterByToken'> },
  { header }: Pick<EndpointRequest<unknown, unknown, unknown, unknown>, 'header'>,
): Promise<void> {
  const tokenHash = hashToken(accessToken(header('authorization'), new URLSearchParams()));
  await requesterOf(userapi, tokenHash, { isForLocked: false });
}
