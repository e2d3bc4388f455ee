import { Gate } from './gate.ts';

describe('a gate', () => {
  it('lets so many run at once, and the others in the order in which they came', async () => {
    const gate = new Gate(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const work = [0, 1, 2, 3].map((n) =>
      gate.run(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        return n;
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    expect(await work[1]).toBe(1);
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.();
    await work[0];
    ends[2]?.();
    ends[3]?.();
    expect(await Promise.all(work)).toEqual([0, 1, 2, 3]);
  });

  it('goes on when what ran has failed', async () => {
    const gate = new Gate(1);
    await expect(gate.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await gate.run(() => Promise.resolve('next'))).toBe('next');
  });
});
