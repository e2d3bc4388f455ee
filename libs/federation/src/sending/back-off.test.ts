import { backOff } from './back-off.ts';

const limits = { min: 60_000, max: 86_400_000 };

describe('backOff', () => {
  it.each([
    [1, 60_000],
    [2, 120_000],
    [5, 960_000],
    [20, 86_400_000],
    [10_000, 86_400_000],
  ])('after %d failures waits about %d ms', (failures, wait) => {
    expect(backOff(failures, limits, () => 0.5)).toBe(wait);
    expect(backOff(failures, limits, () => 0)).toBe(wait * 0.8);
    expect(backOff(failures, limits)).toBeLessThanOrEqual(wait * 1.2);
  });
});
