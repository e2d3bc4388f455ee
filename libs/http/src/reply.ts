import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Response } from 'express';

import type { Endpoint, Reply, ReplyBody } from './endpoint.ts';

/** Sends an answer. A client that goes away while it is sent piece by piece ends the sending, silently. */
export async function sendReply(response: Response, endpoint: Endpoint, reply: Reply): Promise<void> {
  response.status(reply.status).set(reply.headers);
  if (reply.body === undefined) {
    response.end();
  } else if (typeof reply.body === 'string') {
    setType(response, endpoint);
    response.send(reply.body);
  } else if (isStream(reply.body)) {
    setType(response, endpoint);
    await pipeline(Readable.from(reply.body), response).catch((error: unknown) => {
      if (!response.destroyed || response.writableFinished) throw error;
    });
  } else {
    response.json(reply.body);
  }
}

/** Throws when an answer is not what the endpoint declares; for the tests. */
export function checkReply(endpoint: Endpoint, { status, body }: Reply): void {
  const schema = status === 200 ? endpoint.answer : endpoint.otherAnswers[status];
  if (schema === undefined) {
    throw new Error(`${endpoint.method} ${endpoint.paths[0] ?? ''} does not declare the answer ${status}.`);
  }
  const isJson = typeof body === 'object' && !isStream(body);
  if (status === 200 && isJson !== (endpoint.produces === 'application/json')) {
    throw new Error(`${endpoint.method} ${endpoint.paths[0] ?? ''} does not answer ${endpoint.produces}.`);
  }
  if (isJson) schema.parse(body);
}

function isStream(body: ReplyBody): body is AsyncIterable<string> {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}

/** An answer may name a more exact type, such as one with a version. */
function setType(response: Response, endpoint: Endpoint): void {
  if (response.get('content-type') === undefined) response.type(endpoint.produces);
}
