import { Traffic } from './traffic.ts';

/** A log whose position the test moves. */
function logAt(position: number): { moveTo(position: number): void; position(): Promise<number> } {
  let now = position;
  return { moveTo: (to) => void (now = to), position: () => Promise.resolve(now) };
}

const { signal } = new AbortController();

async function timeOf(work: Promise<void>): Promise<number> {
  const started = performance.now();
  await work;
  return performance.now() - started;
}

describe('giving way to those who send', () => {
  it('neither waits nor makes smaller batches while nothing is sent', async () => {
    const traffic = new Traffic(logAt(5));
    for (let batch = 0; batch < 3; batch += 1) {
      expect(await timeOf(traffic.giveWay(200, signal))).toBeLessThan(100);
      expect(traffic.batchSize(5000)).toBe(5000);
    }
  });

  it('waits four times what a batch took, and makes smaller ones, once something is sent', async () => {
    const log = logAt(5);
    const traffic = new Traffic(log);
    await traffic.giveWay(0, signal);
    log.moveTo(6);
    expect(await timeOf(traffic.giveWay(20, signal))).toBeGreaterThanOrEqual(79);
    expect(traffic.batchSize(5000)).toBe(1250);
  });

  it('stops waiting when it is told to', async () => {
    const log = logAt(5);
    const traffic = new Traffic(log);
    await traffic.giveWay(0, signal);
    log.moveTo(6);
    await expect(traffic.giveWay(1000, AbortSignal.timeout(20))).rejects.toThrow();
  });
});
