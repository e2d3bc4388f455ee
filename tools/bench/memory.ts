import type { Bench, Measurement } from './bench.ts';
import { memoryOf } from './cpu.ts';
import { evacuateRoom } from './rooms.ts';

/** Memory of the server at rest, before the other jobs, and how it grows while a room is emptied. */
export async function memory(bench: Bench, size: number): Promise<Measurement> {
  const idle = memoryOf(bench.pids.server);
  await bench.users(size - 1);
  let measured: Measurement | undefined;
  const { before, highest } = await highestMemory(bench.pids.server, async () => {
    measured = await evacuateRoom(bench, size);
  });
  if (measured === undefined) throw new Error('Nothing was measured.');
  return {
    ...measured,
    job: 'memory',
    more: { idleMiB: idle.now, beforeMiB: before, highestMiB: highest },
  };
}

/** Resident memory of a process before `work`, and the most of it meanwhile, in MiB. */
export async function highestMemory(
  pid: number,
  work: () => Promise<void>,
): Promise<{ before: number; highest: number }> {
  const before = memoryOf(pid).now;
  let highest = before;
  const look = (): void => {
    highest = Math.max(highest, memoryOf(pid).now);
  };
  const samples = setInterval(look, 50);
  try {
    await work();
  } finally {
    clearInterval(samples);
    look();
  }
  return { before, highest };
}

/** `Bench.measure`, with the server's memory told beside the figures that `work` answers. */
export async function measureMemory(
  bench: Bench,
  job: string,
  size: number,
  items: number,
  work: () => Promise<Record<string, number>>,
): Promise<Measurement> {
  return bench.measure(job, size, items, async () => {
    let more: Record<string, number> = {};
    const { before, highest } = await highestMemory(bench.pids.server, async () => {
      more = await work();
    });
    return { ...more, beforeMiB: before, highestMiB: highest };
  });
}
