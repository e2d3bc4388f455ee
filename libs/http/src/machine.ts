import { BlockList, isIPv6 } from 'node:net';

import type { Requester } from '@seneschal/contracts';
import { forbidden } from '@seneschal/matrix';

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
  if (addresses.length > 0 && !isIn(addresses, ip)) {
    throw forbidden('This token is not to be used from this address.');
  }
}

function isIn(networks: readonly string[], ip: string): boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return list.check(ip, familyOf(ip));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
