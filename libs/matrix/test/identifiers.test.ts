import * as ids from '../src/identifiers.ts';
import { failure } from './fixtures.ts';

const HASH = 'Rqnc-F-dvnEYJTyHq_iKxU2bZ1CI92-kuZq3a5lr5Zg';
const invalid = failure('M_INVALID_PARAM');

describe('server names', () => {
  it.each([
    ['matrix.org', { host: 'matrix.org' }],
    ['matrix.org:8888', { host: 'matrix.org', port: 8888 }],
    ['1.2.3.4', { host: '1.2.3.4' }],
    ['1.2.3.4:1234', { host: '1.2.3.4', port: 1234 }],
    ['[1234:5678::abcd]', { host: '[1234:5678::abcd]' }],
    ['[1234:5678::abcd]:5678', { host: '[1234:5678::abcd]', port: 5678 }],
  ])('reads %s', (text, expected) => {
    expect(ids.parseServerName(text)).toEqual(expected);
    expect(ids.isServerName(text)).toBe(true);
  });

  it.each(['', 'a b', 'a:', 'a:123456', 'a:x', '[::1', '::1', 'a/b', 'é.org', 'a\n', '[x]', 'a'.repeat(256)])(
    'refuses %j',
    (text) => {
      expect(() => ids.parseServerName(text)).toThrow(invalid);
      expect(ids.isServerName(text)).toBe(false);
    },
  );
});

describe('user IDs', () => {
  it.each([
    ['@alice:matrix.org', 'alice', 'matrix.org'],
    ['@a/b+c=d-e_f.g:h:8448', 'a/b+c=d-e_f.g', 'h:8448'],
    ['@Alice Smith:h', 'Alice Smith', 'h'],
    ['@:h', '', 'h'],
    ['@x:[::1]:80', 'x', '[::1]:80'],
  ])('reads %s, historical ones too', (text, localpart, serverName) => {
    expect(ids.parseUserId(text)).toEqual({ localpart, serverName });
  });

  it.each([
    '',
    '@',
    'alice:h',
    '@alice',
    '@alice:',
    '@a\0b:h',
    '@a\ud800:h',
    `@${'a'.repeat(253)}:h`,
    '@a:b:c',
  ])('refuses %j', (text) => {
    expect(() => ids.parseUserId(text)).toThrow(invalid);
    expect(ids.isUserId(text)).toBe(false);
  });

  it('counts bytes, not characters', () => {
    expect(ids.isUserId(`@${'a'.repeat(252)}:h`)).toBe(true);
    expect(ids.isUserId(`@${'é'.repeat(127)}:h`)).toBe(false);
  });

  it('says which may be shown outside events and which may be new', () => {
    expect(['@a:h', '@A!:h', '@ :h', '@:h', '@é:h'].map(ids.isCompliantUserId)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(['a.b_c=d-e/f+0', 'A', '', 'a b', 'a:b', 'a\n'].map(ids.isUserLocalpart)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('makes them', () => {
    expect(ids.makeUserId('alice', 'h:1')).toBe('@alice:h:1');
    expect(() => ids.makeUserId('a:b', 'h')).toThrow(invalid);
    expect(() => ids.makeUserId('a', 'not valid')).toThrow(invalid);
  });
});

describe('room IDs, aliases and event IDs', () => {
  it('reads room IDs with a server name and without', () => {
    expect(ids.parseRoomId('!abc:h:1')).toEqual({ opaque: 'abc', serverName: 'h:1' });
    expect(ids.parseRoomId(`!${HASH}`)).toEqual({ opaque: HASH });
  });

  it.each(['!abc', '!:h', 'abc:h', `#${HASH}`, `!${HASH}x`, '!a\0:h'])('refuses the room ID %j', (text) => {
    expect(() => ids.parseRoomId(text)).toThrow(invalid);
    expect(ids.isRoomId(text)).toBe(false);
  });

  it('reads aliases', () => {
    expect(ids.parseRoomAlias('#général:h')).toEqual({ localpart: 'général', serverName: 'h' });
    expect(['#a:h', '#:h', '#a', 'a:h'].map(ids.isRoomAlias)).toEqual([true, false, false, false]);
  });

  it('reads event IDs of all formats', () => {
    expect(ids.parseEventId('$abc:h')).toEqual({ opaque: 'abc', serverName: 'h' });
    expect(ids.parseEventId(`$${HASH}`)).toEqual({ opaque: HASH });
    expect(ids.isEventId('$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk')).toBe(true);
    expect(['$', '$a b', 'abc', '$é', `$${'a'.repeat(255)}`].map(ids.isEventId)).toEqual(
      Array(5).fill(false),
    );
  });

  it('finds the server name', () => {
    expect(ids.serverNameOf('@a:h:8448')).toBe('h:8448');
    expect(ids.serverNameOf(`!${HASH}`)).toBeUndefined();
    expect(ids.serverNameOf('@a:not valid')).toBeUndefined();
  });
});
