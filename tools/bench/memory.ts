import type { Bench, Measurement } from './bench.ts';
import { memoryOf } from './cpu.ts';
import { evacuateRoom } from './rooms.ts';

/** Memory of the server at rest, before the other jobs, and how it grows while a room is emptied. */
export async function memory(bench: Bench, size: number): Promise<Measurement> {
  const idle = memoryOf(bench.pids.server);
  let highest = 0;
  const samples = setInterval(() => {
    highest = Math.max(highest, memoryOf(bench.pids.server).now);
  }, 50);
  try {
    await bench.users(size - 1);
    const before = memoryOf(bench.pids.server).now;
    highest = 0;
    const measured = await evacuateRoom(bench, size);
    return {
      ...measured,
      job: 'memory',
      more: { idleMiB: idle.now, beforeMiB: before, highestMiB: highest },
    };
  } finally {
    clearInterval(samples);
  }
}
