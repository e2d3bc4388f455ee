import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeCertificate } from '@seneschal/testing';

import { Https, type HttpsRequest, Unreachable } from '../src/transport/https.ts';

let folder: string, server: Server, https: Https;
let answer: (response: ServerResponse) => void;
let ended: Promise<unknown>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seneschal-slow-'));
  const { certificate, key } = await makeCertificate(folder);
  const [cert, privateKey] = await Promise.all([readFile(certificate), readFile(key)]);
  server = createServer({ cert, key: privateKey }, (_request, response) => {
    ended = once(response, 'close');
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  https = new Https({ verifyCertificates: false, allowedNetworks: ['127.0.0.0/8'] });
});
afterAll(async () => {
  await https.stop();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

function ask(given: Partial<HttpsRequest>): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  const to = { host: '127.0.0.1', port, certificateName: '127.0.0.1', hostHeader: `127.0.0.1:${port}` };
  return https.send(to, { method: 'GET', path: '/', timeoutMs: 20_000, maxBytes: 1000, ...given });
}

/** Sends one byte after the other for ever; answers nothing else. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 5);
  response.on('close', () => clearInterval(timer));
}

describe('a server that answers slowly', () => {
  it('has so much time for the whole answer, however steadily it sends', async () => {
    answer = drip;
    await expect(ask({ timeoutMs: 500, maxBytes: 1_000_000 })).rejects.toThrow(/did not answer in time/);
    await ended;
  });

  it('is left as soon as it has sent too much', async () => {
    answer = drip;
    const asked = ask({ maxBytes: 20 });
    await expect(asked).rejects.toThrow(Unreachable);
    await expect(asked).rejects.toThrow(/larger than 20 bytes/);
    await ended;
  });

  it('is left when it sends nothing, and when it breaks off', async () => {
    answer = () => undefined;
    await expect(ask({ timeoutMs: 500 })).rejects.toThrow(/did not answer in time/);
    answer = (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setImmediate(() => response.destroy());
    };
    await expect(ask({})).rejects.toThrow(Unreachable);
  });
});
