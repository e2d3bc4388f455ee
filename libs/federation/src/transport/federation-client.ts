import { randomInt } from 'node:crypto';

import type { Config } from '@seneschal/config';
import {
  isJsonObject,
  type JsonObject,
  MatrixError,
  notJson,
  parseJson,
  type Signer,
} from '@seneschal/matrix';
import type { Stoppable } from '@seneschal/observability';

import type { BlockList } from './block-list.ts';
import { type Destination, Discovery, type DiscoveryNetwork, lookUpSrv } from './discovery.ts';
import { Https, type HttpsAnswer, type HttpsRequest, Unreachable } from './https.ts';
import { signRequest } from './x-matrix.ts';

export interface FederationRequest {
  destination: string;
  method: 'GET' | 'PUT' | 'POST';
  /** Path and query, percent-encoded. */
  uri: string;
  content?: JsonObject;
  timeoutMs?: number;
  /** The largest answer that is read. */
  maxBytes?: number;
  signal?: AbortSignal;
  /** Names the span of the request to the server (W3C Trace Context). */
  traceParent?: string;
}

export type ClientConfig = Pick<Config, 'federation_verify_certificates' | 'federation_allowed_networks'>;

const usualTimeoutMs = 30_000;
const usualBytes = 8 * 1024 * 1024;
const wellKnown = { path: '/.well-known/matrix/server', timeoutMs: 10_000, maxBytes: 51_200, redirects: 5 };

/** Requests to other servers: found by name, signed, and bounded in size, depth and time. */
export class FederationClient implements Stoppable {
  readonly #signer: Signer;
  readonly #https: Https;
  readonly #discovery: Discovery;
  readonly #blocks: BlockList;

  constructor(config: ClientConfig, signer: Signer, blocks: BlockList) {
    this.#signer = signer;
    this.#blocks = blocks;
    this.#https = new Https({
      verifyCertificates: config.federation_verify_certificates,
      allowedNetworks: config.federation_allowed_networks,
    });
    this.#discovery = new Discovery(this.#network());
  }

  /**
   * Answers the JSON object that a server answers. Throws Unreachable without an answer, also for a server that is
   * blocked here, and the server's own MatrixError with the status it had.
   */
  async send(request: FederationRequest): Promise<JsonObject> {
    const { destination, method, uri, content } = request;
    const signed = { method, uri, origin: this.#signer.serverName, destination };
    const authorization = signRequest(content === undefined ? signed : { ...signed, content }, this.#signer);
    return this.#exchange(request, { authorization });
  }

  /** As `send`, without a signature: for the keys that signatures are checked with. */
  sendUnsigned(request: FederationRequest): Promise<JsonObject> {
    return this.#exchange(request, {});
  }

  stop(): Promise<void> {
    return this.#https.stop();
  }

  async #exchange(request: FederationRequest, headers: Record<string, string>): Promise<JsonObject> {
    const { destination, content, traceParent } = request;
    if (await this.#blocks.isBlocked(destination)) {
      throw new Unreachable(`An administrator has blocked ${destination}.`);
    }
    const asked: HttpsRequest = {
      method: request.method,
      path: request.uri,
      headers: {
        ...headers,
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...(traceParent === undefined ? {} : { traceparent: traceParent }),
      },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      timeoutMs: request.timeoutMs ?? usualTimeoutMs,
      maxBytes: request.maxBytes ?? usualBytes,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    return read(await this.#sendToFirst(destination, asked));
  }

  async #sendToFirst(serverName: string, asked: HttpsRequest): Promise<HttpsAnswer> {
    let reason: unknown;
    for (const destination of await this.#discovery.find(serverName)) {
      try {
        return await this.#https.send(destination, asked);
      } catch (error) {
        reason = error;
      }
    }
    // It may have moved.
    this.#discovery.forget(serverName);
    throw reason;
  }

  #network(): DiscoveryNetwork {
    return {
      wellKnown: (host) => this.#wellKnown(host),
      srv: (name) => lookUpSrv(name, () => randomInt(2 ** 32) / 2 ** 32),
    };
  }

  async #wellKnown(host: string): ReturnType<DiscoveryNetwork['wellKnown']> {
    let url = new URL(`https://${host}${wellKnown.path}`);
    for (let hop = 0; hop <= wellKnown.redirects; hop += 1) {
      const answer = await this.#fetch(url);
      if (answer?.status === 200) return { body: answer.body, maxAgeMs: maxAgeOf(answer) };
      const location =
        answer !== undefined && answer.status >= 300 && answer.status < 400 && answer.headers['location'];
      if (typeof location !== 'string' || !URL.canParse(location, url.href)) return undefined;
      url = new URL(location, url);
      if (url.protocol !== 'https:') return undefined;
    }
    return undefined;
  }

  async #fetch(url: URL): Promise<HttpsAnswer | undefined> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const to: Destination = {
      host,
      port: Number(url.port || 443),
      certificateName: host,
      hostHeader: url.host,
    };
    const { timeoutMs, maxBytes } = wellKnown;
    const asked = { method: 'GET' as const, path: `${url.pathname}${url.search}`, timeoutMs, maxBytes };
    return this.#https.send(to, asked).catch((error: unknown) => {
      if (error instanceof Unreachable) return undefined;
      throw error;
    });
  }
}

function read({ status, body }: HttpsAnswer): JsonObject {
  let parsed: unknown;
  try {
    parsed = parseJson(body);
  } catch (error) {
    if (status === 200) throw error;
  }
  if (status !== 200) throw MatrixError.fromBody(status, parsed);
  if (!isJsonObject(parsed)) throw notJson('The answer is no JSON object');
  return parsed;
}

function maxAgeOf({ headers }: HttpsAnswer): number | undefined {
  const [, seconds] = /\bmax-age=(\d{1,9})\b/.exec(String(headers['cache-control'] ?? '')) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
