import type { ServerRequest } from '@seneschal/contracts';
import { forbidden, MatrixError } from '@seneschal/matrix';

import type { KeyRing } from '../keys/key-ring.ts';
import type { BlockList } from '../transport/block-list.ts';
import { parseXMatrix, verifyRequest } from '../transport/x-matrix.ts';

export interface AuthenticateDeps {
  keys: Pick<KeyRing, 'publicKey'>;
  blocks: BlockList;
  /** This server. */
  serverName: string;
}

/**
 * Which server sent a request (server-server API, "Request Authentication"). Throws 401 M_UNAUTHORIZED for one that
 * is not signed, is signed by a key that the server does not have, or is meant for another server; 403 M_FORBIDDEN for a
 * server that is blocked, which is not even asked for its keys.
 */
export async function authenticate(deps: AuthenticateDeps, request: ServerRequest): Promise<string> {
  const claim = parseXMatrix(request.authorization);
  if (claim === undefined) throw unauthorized('The request has no X-Matrix authorization.');
  const { origin, destination, keyId, signature } = claim;
  if (destination !== undefined && destination !== deps.serverName) {
    throw unauthorized(`The request is for ${destination}; this is ${deps.serverName}.`);
  }
  if (await deps.blocks.isBlocked(origin)) throw forbidden(`${deps.serverName} has blocked your server.`);
  const publicKey = await deps.keys.publicKey(origin, keyId);
  if (publicKey === undefined) throw unauthorized(`The key ${keyId} of ${origin} cannot be had.`);
  const { method, uri, content } = request;
  const signed = {
    method,
    uri,
    origin,
    destination: deps.serverName,
    ...(content === undefined ? {} : { content }),
  };
  if (!verifyRequest(signed, signature, publicKey)) throw unauthorized('The signature is wrong.');
  return origin;
}

function unauthorized(message: string): MatrixError {
  return new MatrixError(401, 'M_UNAUTHORIZED', message);
}
