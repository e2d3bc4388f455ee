import { Discovery, type DiscoveryNetwork } from './discovery.ts';

interface Answers {
  files?: Record<string, string>;
  maxAgeMs?: number;
  srv?: Record<string, { name: string; port: number }[]>;
}

function network({ files = {}, maxAgeMs, srv = {} }: Answers): DiscoveryNetwork & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    wellKnown: async (host) => {
      asked.push(host);
      const body = files[host];
      return body === undefined ? undefined : { body, maxAgeMs };
    },
    srv: async (name) => {
      asked.push(name);
      return srv[name] ?? [];
    },
  };
}

const file = (name: string): string => JSON.stringify({ 'm.server': name });
const at = (host: string, port: number, certificateName: string, hostHeader: string): object => ({
  host,
  port,
  certificateName,
  hostHeader,
});

describe('resolving server names', () => {
  it.each([
    ['1.2.3.4', at('1.2.3.4', 8448, '1.2.3.4', '1.2.3.4')],
    ['1.2.3.4:5', at('1.2.3.4', 5, '1.2.3.4', '1.2.3.4:5')],
    ['[::1]', at('::1', 8448, '::1', '[::1]')],
    ['localhost:8448', at('localhost', 8448, 'localhost', 'localhost:8448')],
    ['example.org:443', at('example.org', 443, 'example.org', 'example.org:443')],
  ])('takes %s as it is, and asks nobody', async (name, expected) => {
    const nobody = network({});
    expect(await new Discovery(nobody).find(name)).toEqual([expected]);
    expect(nobody.asked).toEqual([]);
  });

  it.each([
    ['an address', '5.6.7.8', at('5.6.7.8', 8448, '5.6.7.8', '5.6.7.8')],
    ['a name with a port', 'm.example:1', at('m.example', 1, 'm.example', 'm.example:1')],
    ['a name', 'm.example', at('m.example', 8448, 'm.example', 'm.example')],
  ])('follows a well-known file to %s', async (_, delegated, expected) => {
    const found = await new Discovery(network({ files: { 'a.example': file(delegated) } })).find('a.example');
    expect(found).toEqual([expected]);
  });

  it('looks SRV records of the delegated name up, and addresses that name', async () => {
    const srv = {
      '_matrix-fed._tcp.m.example': [
        { name: 's1', port: 1 },
        { name: 's2', port: 2 },
      ],
    };
    const found = await new Discovery(network({ files: { a: file('m.example') }, srv })).find('a');
    expect(found).toEqual([at('s1', 1, 'm.example', 'm.example'), at('s2', 2, 'm.example', 'm.example')]);
  });

  it('looks SRV records of the name up where there is no file, the old service last', async () => {
    const older = network({ srv: { '_matrix._tcp.a.example': [{ name: 's', port: 3 }] } });
    expect(await new Discovery(older).find('a.example')).toEqual([at('s', 3, 'a.example', 'a.example')]);
    expect(older.asked).toEqual(['a.example', '_matrix-fed._tcp.a.example', '_matrix._tcp.a.example']);
  });

  it.each(['no JSON', '[]', '{"m.server":7}', '{"m.server":"a b"}', '{"m.server":"https://x"}'])(
    'goes on without a file that says %s',
    async (body) => {
      const found = await new Discovery(network({ files: { a: body } })).find('a');
      expect(found).toEqual([at('a', 8448, 'a', 'a')]);
    },
  );

  it('keeps what it found as long as the file says, within bounds, and forgets on demand', async () => {
    let now = 0;
    const answers = network({ files: { a: file('b:1') }, maxAgeMs: 1 });
    const discovery = new Discovery(answers, () => now);
    await discovery.find('a');
    now = 4 * 60_000;
    await discovery.find('a');
    expect(answers.asked).toHaveLength(1);
    now = 6 * 60_000;
    await discovery.find('a');
    expect(answers.asked).toHaveLength(2);
    discovery.forget('a');
    await discovery.find('a');
    expect(answers.asked).toHaveLength(3);
  });
});
