import { parseRedisAddress } from './redis-address.ts';

describe('parseRedisAddress', () => {
  it('reads one server, a socket, a cluster and sentinels', () => {
    expect(parseRedisAddress('rediss://:secret@host:6380/1')).toEqual({
      kind: 'one',
      url: 'rediss://:secret@host:6380/1',
    });
    expect(parseRedisAddress('redis+unix://:a%2Fb@/run/redis.sock')).toEqual({
      kind: 'socket',
      path: '/run/redis.sock',
      password: 'a/b',
    });
    expect(parseRedisAddress('rediss+cluster://user:pass%40word@one,[::1]:7001')).toEqual({
      kind: 'cluster',
      hosts: [
        { host: 'one', port: 6379 },
        { host: '::1', port: 7001 },
      ],
      username: 'user',
      password: 'pass@word',
      tls: true,
    });
    expect(parseRedisAddress('redis+sentinel://:pass@one:1,two/main?db=2&sentinel_password=word')).toEqual({
      kind: 'sentinel',
      hosts: [
        { host: 'one', port: 1 },
        { host: 'two', port: 26_379 },
      ],
      name: 'main',
      db: 2,
      sentinelPassword: 'word',
      username: undefined,
      password: 'pass',
      tls: false,
    });
  });

  it.each([
    'http://host',
    'redis+sentinel://host',
    'redis+sentinel://host/',
    'redis+sentinel://host/main?db=x',
    'redis+cluster://host/main',
    'redis+cluster://host:0',
    'redis+cluster://one,,two',
    'redis+cluster://',
  ])('does not take %s', (url) => {
    expect(parseRedisAddress(url)).toBeUndefined();
  });
});
