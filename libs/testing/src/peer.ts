import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { generateSigningKey, type JsonObject, signJson, type Signer } from '@seneschal/matrix';
import type { Stoppable } from '@seneschal/observability';
import { generate } from 'selfsigned';

export interface PeerRequest {
  method: string;
  /** Path and query as they came. */
  uri: string;
  authorization: string;
  body: string;
}

/** What a peer answers; a string is sent as it is, undefined leaves the request without an answer. */
export interface PeerAnswer {
  status?: number;
  body: JsonObject | string | undefined;
}

/** Another homeserver, of which a test says what it answers: HTTPS on loopback, with a certificate of its own. */
export interface Peer extends Stoppable {
  /** `127.0.0.1:port`. */
  readonly serverName: string;
  readonly signer: Signer;
  /** What it was asked so far, its keys apart. */
  readonly requests: PeerRequest[];
  /** Sets what is answered below a path, until it is set anew. */
  answer(path: string, handler: (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>): void;
}

/** Settings by which a world talks with peers. */
export const peerSettings = {
  SENESCHAL_FEDERATION_ALLOWED_NETWORKS: '127.0.0.0/8',
  SENESCHAL_FEDERATION_VERIFY_CERTIFICATES: 'off',
};

type Handlers = Map<string, (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>>;

/** A certificate for 127.0.0.1, signed by itself. */
export interface PeerCertificate {
  key: string;
  cert: string;
}

export async function peerCertificate(): Promise<PeerCertificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keySize: 2048,
  });
  return { key, cert };
}

/** Starts a peer; the end of the test stops it. Many peers start faster with one certificate. */
export async function startPeer(certificate?: PeerCertificate): Promise<Peer> {
  const { key, cert } = certificate ?? (await peerCertificate());
  const handlers: Handlers = new Map();
  const requests: PeerRequest[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    void serve(request, response, handlers, requests);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const serverName = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const signer = { serverName, key: generateSigningKey() };
  handlers.set('/_matrix/key/v2/server', () => ({ body: keysOf(signer) }));
  return {
    serverName,
    signer,
    requests,
    answer: (path, handler) => void handlers.set(path, handler),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: Handlers,
  requests: PeerRequest[],
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const asked: PeerRequest = {
    method: request.method ?? '',
    uri: request.url ?? '',
    authorization: request.headers.authorization ?? '',
    body: Buffer.concat(chunks).toString('utf8'),
  };
  const path =
    [...handlers.keys()]
      .filter((prefix) => asked.uri.startsWith(prefix))
      .sort()
      .at(-1) ?? '';
  if (path !== '/_matrix/key/v2/server') requests.push(asked);
  const unknown = { status: 404, body: { errcode: 'M_UNRECOGNIZED', error: 'Not here.' } };
  const { status = 200, body } = (await handlers.get(path)?.(asked)) ?? unknown;
  if (body === undefined) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function keysOf({ serverName, key }: Signer): JsonObject {
  const keys = {
    server_name: serverName,
    valid_until_ts: Date.now() + 86_400_000,
    verify_keys: { [key.keyId]: { key: key.publicKey } },
    old_verify_keys: {},
  };
  return signJson(keys, serverName, key);
}
