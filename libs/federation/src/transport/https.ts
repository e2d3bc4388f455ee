import { isIP } from 'node:net';

import { ownString } from '@seneschal/matrix';
import { AddressRefused, NetworkGuard } from '@seneschal/network';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';

import type { Destination } from './discovery.ts';

export interface HttpsOptions {
  verifyCertificates: boolean;
  /** Networks that are exempt from the rule on private addresses. */
  allowedNetworks: readonly string[];
}

export interface HttpsRequest {
  method: 'GET' | 'PUT' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
  timeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal;
}

export interface HttpsAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** What went wrong before there was an answer. The message says it to an administrator. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

const connectTimeoutMs = 10_000;

/** HTTPS to other servers: guarded addresses, certificates checked by name, bounded in time and size. */
export class Https {
  readonly #guard: NetworkGuard;
  readonly #verify: boolean;
  readonly #agents = new Map<string, Agent>();

  constructor({ verifyCertificates, allowedNetworks }: HttpsOptions) {
    this.#guard = new NetworkGuard(allowedNetworks);
    this.#verify = verifyCertificates;
  }

  /** Sends one request, following no redirect. Throws Unreachable. */
  async send(to: Destination, asked: HttpsRequest): Promise<HttpsAnswer> {
    const timeout = AbortSignal.timeout(asked.timeoutMs);
    const signal = asked.signal === undefined ? timeout : AbortSignal.any([timeout, asked.signal]);
    try {
      this.#guard.checkHost(to.host);
      const answer = await request(urlOf(to, asked.path), {
        method: asked.method,
        headers: { ...asked.headers, host: to.hostHeader },
        ...(asked.body === undefined ? {} : { body: asked.body }),
        dispatcher: this.#agentFor(to.certificateName),
        signal,
      });
      const body = await readBounded(answer.body, asked.maxBytes);
      return { status: answer.statusCode, headers: answer.headers, body };
    } catch (error) {
      throw explain(error, to, timeout.aborted);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  /** Connections are kept per certificate name: two names may live at one address. */
  #agentFor(certificateName: string): Agent {
    const known = this.#agents.get(certificateName);
    if (known !== undefined) return known;
    const connect = buildConnector({
      timeout: connectTimeoutMs,
      rejectUnauthorized: this.#verify,
      lookup: this.#guard.lookup,
      // An address is no server name for TLS; the certificate is then checked for the address itself.
      ...(isIP(certificateName) === 0 ? { servername: certificateName } : {}),
    });
    const agent = new Agent({ connect, connections: 8, pipelining: 1, keepAliveTimeout: 30_000 });
    this.#agents.set(certificateName, agent);
    return agent;
  }
}

function urlOf({ host, port }: Destination, path: string): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

async function readBounded(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      body.destroy();
      throw new Unreachable(`The answer is larger than ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function explain(error: unknown, { host, port }: Destination, timedOut: boolean): Unreachable {
  if (error instanceof Unreachable) return error;
  if (error instanceof AddressRefused) return new Unreachable(error.message, { cause: error });
  if (timedOut) return new Unreachable(`${host}:${port} did not answer in time.`, { cause: error });
  const code = ownString(error, 'code') ?? 'no reason given';
  return new Unreachable(`${host}:${port} cannot be reached (${code}).`, { cause: error });
}
