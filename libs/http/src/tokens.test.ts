import { accessToken, hashToken, newToken } from './tokens.ts';

const none = new URLSearchParams();

describe('accessToken', () => {
  it('is taken from the header or the query', () => {
    expect(accessToken('Bearer abc', none)).toBe('abc');
    expect(accessToken(undefined, new URLSearchParams({ access_token: 'abc' }))).toBe('abc');
  });

  it.each([
    ['nothing', undefined, ''],
    ['an empty query', undefined, 'access_token='],
    ['a small b', 'bearer abc', ''],
    ['another scheme', 'Basic abc', ''],
    ['no token', 'Bearer ', ''],
    ['two words', 'Bearer a b', ''],
    ['both', 'Bearer abc', 'access_token=abc'],
    ['both, one empty', 'Bearer abc', 'access_token='],
  ])('refuses %s', (_name, header, query) => {
    expect(() => accessToken(header, new URLSearchParams(query))).toThrow(
      expect.objectContaining({ errcode: 'M_MISSING_TOKEN' }) as Error,
    );
  });
});

describe('tokens', () => {
  it('are random, long and kept as a hash', () => {
    const [one, two] = [newToken(), newToken()];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^sen_[A-Za-z0-9_-]{43}$/);
    expect(hashToken(one)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(hashToken(one)).toBe(hashToken(one));
  });
});
