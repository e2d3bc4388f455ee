import type { Request } from 'express';

import type { FederationForGateways } from '@seneschal/contracts';
import { type JsonValue, MatrixError } from '@seneschal/matrix';

import { parseBody, readBody } from './body.ts';
import type { Endpoint } from './endpoint.ts';

export interface ServerCaller {
  origin: string;
  /** The body, which the signature covers and so had to be read; undefined where the endpoint takes none. */
  body: JsonValue | undefined;
}

/** Which server asks. The body is read and parsed within its bounds, and not looked at. Throws 401. */
export async function authenticateServer(
  servers: FederationForGateways | undefined,
  endpoint: Endpoint,
  request: Request,
  maxBodyBytes: number,
): Promise<ServerCaller> {
  if (servers === undefined) throw new Error('An endpoint for servers is served without a way to know them.');
  const authorization = request.get('authorization') ?? '';
  if (authorization === '') {
    throw new MatrixError(401, 'M_UNAUTHORIZED', 'The request has no X-Matrix authorization.');
  }
  const body =
    endpoint.body === undefined ? undefined : parseBody(endpoint, await readBody(request, maxBodyBytes));
  const { method, originalUrl: uri } = request;
  return { origin: await servers.authenticate({ authorization, method, uri, content: body }), body };
}
