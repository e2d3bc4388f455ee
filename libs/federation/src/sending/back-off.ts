import { randomInt } from 'node:crypto';

/** How long a server is left alone after failures: twice as long each time, and a fifth more or less by chance. */
export function backOff(
  failures: number,
  { min, max }: { min: number; max: number },
  random: () => number = () => randomInt(2 ** 32) / 2 ** 32,
): number {
  const wait = Math.min(max, min * 2 ** Math.min(failures - 1, 40));
  return Math.round(wait * (0.8 + 0.4 * random()));
}
