import { AddressRefused, NetworkGuard } from './network-guard.ts';

describe('4 (CVE-2024-52594): the network guard', () => {
  const guard = new NetworkGuard(['10.1.0.0/16', 'fd00:1::/32', '192.168.7.7']);

  it.each([
    '127.0.0.1',
    '127.8.9.1',
    '0.0.0.0',
    '10.0.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fd12::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ])('refuses %s', (address) => {
    expect(guard.allows(address)).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '172.32.0.1',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
    '10.1.2.3',
    '192.168.7.7',
    'fd00:1::5',
  ])('allows %s', (address) => {
    expect(guard.allows(address)).toBe(true);
  });

  it('knows literal addresses, which are never looked up', () => {
    expect(() => guard.checkHost('[::1]')).toThrow(AddressRefused);
    expect(() => guard.checkHost('10.0.0.1')).toThrow(AddressRefused);
    expect(() => guard.checkHost('10.1.0.1')).not.toThrow();
    expect(() => guard.checkHost('example.org')).not.toThrow();
  });

  it('refuses a name after it was resolved', async () => {
    const looked = (allowed: string[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        new NetworkGuard(allowed).lookup('localhost', { all: true }, (error, found) =>
          error === null ? resolve(found) : reject(error),
        );
      });
    await expect(looked([])).rejects.toThrow(AddressRefused);
    expect(await looked(['127.0.0.0/8', '::1'])).not.toHaveLength(0);
  });
});
