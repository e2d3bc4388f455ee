import { BlockList, isIP } from 'node:net';

/** A set of IP addresses, given as addresses and networks such as `10.1.0.0/16`. */
export class Networks {
  readonly #list = new BlockList();

  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = familyOf(address);
      this.#list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
    }
  }

  /** Whether an address is in it; what is no address is in none. An IPv4 address may come in IPv6 form. */
  includes(address: string): boolean {
    // The zone of a link-local address says by which interface it was reached.
    const [bare = ''] = address.split('%');
    return isIP(bare) !== 0 && this.#list.check(bare, familyOf(bare));
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
