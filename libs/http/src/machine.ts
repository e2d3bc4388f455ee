import type { Requester } from '@seneschal/contracts';
import { forbidden } from '@seneschal/matrix';
import { Networks } from '@seneschal/network';

import type { Endpoint } from './endpoint.ts';
import { newToken } from './tokens.ts';

/** What the tokens of machines begin with, so that no other request looks for one. */
const prefix = 'senadm_';

/** A new token for a machine: 256 bits of randomness. */
export function newAdminToken(): string {
  return newToken().replace(/^sen_/, prefix);
}

export function isAdminToken(token: string): boolean {
  return token.startsWith(prefix);
}

/** Throws M_FORBIDDEN unless a machine may call this endpoint from this address. */
export function checkMachine(
  { scopes, addresses }: NonNullable<Requester['adminToken']>,
  { access, scope }: Pick<Endpoint, 'access' | 'scope'>,
  ip: string,
): void {
  if (access !== 'admin') throw forbidden('This token is for the admin API alone.');
  if (!scopes.includes(scope)) throw forbidden(`This token has not the scope ${scope}.`);
  if (addresses.length > 0 && !new Networks(addresses).includes(ip)) {
    throw forbidden('This token is not to be used from this address.');
  }
}
