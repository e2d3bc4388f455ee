import { createHash, randomBytes } from 'node:crypto';

import { missingToken } from '@seneschal/matrix';

/** Tokens are kept and passed on as their SHA-256 (base64url) only. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** A new access token: 256 bits of randomness. */
export function newToken(): string {
  return `sen_${randomBytes(32).toString('base64url')}`;
}

/**
 * The access token of a request: `Authorization: Bearer …` or `?access_token=…`, never both.
 * Throws M_MISSING_TOKEN.
 */
export function accessToken(authorization: string | undefined, query: URLSearchParams): string {
  const fromQuery = query.get('access_token');
  if (authorization === undefined) {
    if (fromQuery === null || fromQuery === '') throw missingToken('The request has no access token.');
    return fromQuery;
  }
  if (fromQuery !== null) {
    throw missingToken('Send the access token in the Authorization header or in the query, not in both.');
  }
  const token = /^Bearer (\S+)$/.exec(authorization)?.[1];
  if (token === undefined) throw missingToken('The Authorization header is not `Bearer` and a token.');
  return token;
}
