import { aclAllows } from '../src/index.ts';

describe('aclAllows', () => {
  it.each([
    [{ allow: ['*'] }, 'evil.example', true],
    [{ allow: ['*'], deny: ['evil.example'] }, 'evil.example', false],
    [{ allow: ['*'], deny: ['evil.example'] }, 'evil.example:8448', false],
    [{ allow: ['*'], deny: ['*.evil.example'] }, 'a.EVIL.example', false],
    [{ allow: ['*'], deny: ['*.evil.example'] }, 'evil.example', true],
    [{ allow: ['matri?.example'] }, 'matrix.example', true],
    [{ allow: ['matri?.example'] }, 'matri.example', false],
    [{ allow: ['*'], allow_ip_literals: false }, '10.0.0.1:8448', false],
    [{ allow: ['*'], allow_ip_literals: false }, '[::1]', false],
    [{ allow: ['*'] }, '10.0.0.1', true],
    [{ deny: [] }, 'any.example', false],
    [{ allow: '*' }, 'any.example', false],
    [{ allow: [1, null, 'a.example'] }, 'a.example', true],
  ])('%j and %s', (content, serverName, isAllowed) => {
    expect(aclAllows(content, serverName)).toBe(isAllowed);
  });

  it('lets everyone take part where there is none', () => {
    expect(aclAllows(undefined, 'any.example')).toBe(true);
  });

  it('takes a list with very many globs, and globs of very many stars (CVE-2023-45129)', () => {
    const deny = Array.from({ length: 100_000 }, (_, index) => `*.s${index}.example`);
    const stars = `${'*a'.repeat(5000)}b`;
    const started = performance.now();
    expect(aclAllows({ allow: ['*'], deny: [...deny, stars] }, `${'a'.repeat(200)}.example`)).toBe(true);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
