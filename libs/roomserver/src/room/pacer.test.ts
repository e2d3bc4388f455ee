import { Pacer } from './pacer.ts';

describe('Pacer', () => {
  it('begins small, and grows to batches that take the target while nobody else is slowed down', () => {
    const pacer = new Pacer();
    expect(pacer.size).toBe(1000);
    for (let batch = 0; batch < 5; batch += 1) pacer.done(pacer.size, pacer.size / 100);
    expect(pacer.size).toBe(5000);
  });

  it('shrinks and waits longer when the database slows down, and recovers', () => {
    const pacer = new Pacer();
    for (let batch = 0; batch < 5; batch += 1) pacer.done(pacer.size, pacer.size / 100);
    const calm = pacer.done(pacer.size, 50);
    const busy = pacer.done(pacer.size, 500);
    expect(pacer.size).toBeLessThan(5000);
    expect(busy).toBeGreaterThan(20 * calm);
    for (let batch = 0; batch < 5; batch += 1) pacer.done(pacer.size, pacer.size / 100);
    expect(pacer.size).toBe(5000);
  });

  it('never waits longer than the limit, nor goes below the least size', () => {
    const pacer = new Pacer();
    pacer.done(1000, 10);
    expect(pacer.done(1000, 60_000)).toBe(500);
    for (let batch = 0; batch < 10; batch += 1) pacer.done(pacer.size, 60_000);
    expect(pacer.size).toBe(1000);
  });
});
