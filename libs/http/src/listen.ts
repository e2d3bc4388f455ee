import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { Express } from 'express';

import type { Stoppable } from '@seneschal/observability';

export interface Listener extends Stoppable {
  /** `http://host:port`, or https, with the port that was really taken. */
  readonly address: string;
}

/** A certificate with its chain and the key of it, as PEM. */
export interface Tls {
  cert: string;
  key: string;
}

const timing = { keepAliveTimeout: 65_000, requestTimeout: 120_000 };

/**
 * Serves an application until it is stopped, by HTTPS where a certificate is given: then no new connection is taken, and requests under way have
 * `shutdownMs` to end.
 */
export async function listen(
  app: Express,
  at: { host: string; port: number },
  shutdownMs: number,
  tls?: Tls,
): Promise<Listener> {
  const server = tls === undefined ? createServer(timing, app) : createTlsServer({ ...timing, ...tls }, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, at)));
    server.listen(at.port, at.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  const scheme = tls === undefined ? 'http' : 'https';
  return { address: `${scheme}://${host}:${port}`, stop: () => close(server, shutdownMs) };
}

function explain(error: NodeJS.ErrnoException, at: { host: string; port: number }): Error {
  if (error.code !== 'EADDRINUSE') return error;
  return new Error(`${at.host}:${at.port} is already in use. Choose another address with SENESCHAL_LISTEN.`);
}

async function close(server: Server, shutdownMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection whose last request ends after this stays open for the next one, so they are looked at again.
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  const timer = setTimeout(() => server.closeAllConnections(), shutdownMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}
