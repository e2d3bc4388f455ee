import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Express } from 'express';

import type { Stoppable } from '@seneschal/observability';

export interface Listener extends Stoppable {
  /** `http://host:port` with the port that was really taken. */
  readonly address: string;
}

/**
 * Serves an application until it is stopped: then no new connection is taken, and requests under way have
 * `shutdownMs` to end.
 */
export async function listen(
  app: Express,
  at: { host: string; port: number },
  shutdownMs: number,
): Promise<Listener> {
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 120_000 }, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, at)));
    server.listen(at.port, at.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  return { address: `http://${host}:${port}`, stop: () => close(server, shutdownMs) };
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
