import { hashSync } from '@node-rs/bcrypt';

import { decoyHash, hashDigest, hashPassword, matchesHash } from './passwords.ts';

describe('passwords', () => {
  it('hashes and verifies', async () => {
    const hash = await hashPassword('correct horse', 4);
    expect(hash).toMatch(/^\$2b\$04\$/);
    await expect(matchesHash('correct horse', hash)).resolves.toBe(true);
    await expect(matchesHash('correct horsf', hash)).resolves.toBe(false);
  });

  it('lets every byte of a long password count', async () => {
    const long = 'x'.repeat(512);
    const hash = await hashPassword(long, 4);
    await expect(matchesHash(long, hash)).resolves.toBe(true);
    await expect(matchesHash(`${'x'.repeat(511)}y`, hash)).resolves.toBe(false);
    await expect(matchesHash('x'.repeat(72), hash)).resolves.toBe(false);
  });

  it.each(['2a', '2b', '2y'] as const)('verifies an imported $%s$ hash', async (version) => {
    const password = 'ü'.repeat(36);
    await expect(matchesHash(password, hashSync(password, { cost: 4, version }))).resolves.toBe(true);
  });

  it('takes as long for the decoy as for a real hash, and never matches it', async () => {
    await expect(matchesHash('', decoyHash(4))).resolves.toBe(false);
    // The shortest of several: a busy machine makes some of them longer.
    const time = async (hash: string): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const start = performance.now();
        await matchesHash('some password', hash);
        times.push(performance.now() - start);
      }
      return Math.min(...times);
    };
    const ratio = (await time(decoyHash(10))) / (await time(await hashPassword('another one', 10)));
    expect(ratio).toBeGreaterThan(0.3);
    expect(ratio).toBeLessThan(3);
  });

  it('never takes a NUL, nor text that is no hash', async () => {
    const hash = await hashPassword('12345678', 4);
    await expect(matchesHash('12345678\u0000x', hash)).resolves.toBe(false);
    await expect(matchesHash('12345678', 'plain')).resolves.toBe(false);
  });

  it('answers everybody when many come at once', async () => {
    const hashes = await Promise.all(Array.from({ length: 50 }, (_, i) => hashPassword(`password ${i}`, 4)));
    const checks = await Promise.all(hashes.map((hash, i) => matchesHash(`password ${i}`, hash)));
    expect(checks.every(Boolean)).toBe(true);
  });

  it('names a hash by its digest', () => {
    expect(hashDigest('a')).not.toBe(hashDigest('b'));
    expect(hashDigest('a')).toMatch(/^[\w-]{43}$/);
  });
});
