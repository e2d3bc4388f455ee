import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Stoppable } from '@seneschal/observability';

export interface Received {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Somebody on this machine who is told, over real HTTP. */
export interface TestReceiver extends Stoppable {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** How requests are answered from now on; by default with 204. */
  answer: (response: ServerResponse) => void;
  /** The next request; those that have come already first. */
  next(): Promise<Received>;
}

export async function startReceiver(host = '127.0.0.1'): Promise<TestReceiver> {
  const received: Received[] = [];
  const inbox: Received[] = [];
  const waiting: ((one: Received) => void)[] = [];
  const receiver = { answer: (response: ServerResponse) => void response.writeHead(204).end() };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const one = { path: request.url ?? '', headers: request.headers, body };
    received.push(one);
    const taker = waiting.shift();
    if (taker === undefined) inbox.push(one);
    else taker(one);
    receiver.answer(response);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://${host}:${port}/hook/secret-path`,
    port,
    received,
    next: () => {
      const first = inbox.shift();
      if (first !== undefined) return Promise.resolve(first);
      return new Promise<Received>((resolve) => waiting.push(resolve));
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
