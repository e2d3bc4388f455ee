import type { IncomingMessage } from 'node:http';

import { badJson, isMatrixError, type JsonValue, notJson, parseJson, tooLarge } from '@seneschal/matrix';

import type { Endpoint } from './endpoint.ts';

/** Reads a request's body, at most `limit` bytes of it. Throws M_TOO_LARGE. */
export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge(`The body is larger than ${limit} bytes.`);
    chunks.push(chunk);
  }
  const bytes = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notJson('The body is not UTF-8.');
  }
}

/** Parses a body in the endpoint's style; its depth is bounded before it is parsed. */
export function parseBody(endpoint: Endpoint, text: string): JsonValue {
  if (text.trim() === '' && endpoint.bodyOptional) return {};
  const value = parseText(endpoint, text);
  if (endpoint.bodyStyle === 'json') return value;
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw badJson('The body is not a JSON object.');
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key.toLowerCase(), one]));
}

function parseText(endpoint: Endpoint, text: string): JsonValue {
  try {
    return parseJson(text, { trailing: endpoint.bodyStyle === 'go' ? 'ignore' : 'reject' });
  } catch (error) {
    throw isMatrixError(error) && endpoint.brokenBody === 'M_BAD_JSON' ? badJson(error.message) : error;
  }
}
