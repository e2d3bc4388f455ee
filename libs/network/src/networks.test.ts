import { Networks } from './networks.ts';

describe('a set of networks', () => {
  const networks = new Networks(['10.1.0.0/16', '192.0.2.7', 'fd00:1::/32', '::1']);

  it.each(['10.1.2.3', '192.0.2.7', '::ffff:10.1.2.3', 'fd00:1::5', '::1', 'fd00:1::5%eth0'])(
    'has %s',
    (address) => expect(networks.includes(address)).toBe(true),
  );

  it.each(['10.2.0.1', '192.0.2.8', 'fd00:2::1', '', 'unknown', '10.1.2', '10.1.2.3:80', '10.1.0.0/16'])(
    'has not %p',
    (address) => expect(networks.includes(address)).toBe(false),
  );

  it('is empty when nothing is named', () => {
    expect(new Networks([]).includes('127.0.0.1')).toBe(false);
  });
});
