import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';

import { Networks } from './networks.ts';

/** Thrown when a name leads to an address that requests must not go to. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** Addresses of one machine or one organisation (IANA's registries of special-purpose addresses). */
const special = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/96',
  // Addresses that stand for IPv4 addresses, private ones among them.
  '64:ff9b::/32',
  '2002::/16',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/9',
  'ff00::/8',
];

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * Decides which addresses requests to other servers may go to. It is asked after the name was resolved, by the
 * connection itself, so that neither a redirect nor a name that resolves differently the second time gets by.
 */
export class NetworkGuard {
  readonly #special = new Networks(special);
  readonly #allowed: Networks;

  /** @param allowed networks such as `10.1.0.0/16`, exempt from the rule on private addresses */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Networks(allowed);
  }

  allows(address: string): boolean {
    if (isIP(address) === 0) return false;
    return this.#allowed.includes(address) || !this.#special.includes(address);
  }

  /** Throws AddressRefused for an IP address that is not allowed: those are never looked up. */
  checkHost(host: string): void {
    const address = host.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 && !this.allows(address)) throw refused(host);
  }

  /** As `dns.lookup`, but answers allowed addresses only. */
  readonly lookup = (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = addresses.filter(({ address }) => this.allows(address));
      const [first] = allowed;
      if (first === undefined) callback(refused(hostname), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function refused(host: string): AddressRefused {
  return new AddressRefused(`${host} is at an address of a private network.`);
}
