import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second. */
const tickMs = 10;

interface ProcessTimes {
  parent: number;
  /** User and system time of the process, and of its children that have ended. */
  ownMs: number;
  endedChildrenMs: number;
}

function timesOf(pid: number): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    const sum = (from: number): number => ((fields[from] ?? 0) + (fields[from + 1] ?? 0)) * tickMs;
    return { parent, ownMs: sum(11), endedChildrenMs: sum(13) };
  } catch {
    return undefined;
  }
}

/** CPU time in ms that a process and its children have used so far; 0 for an unknown one. */
export function cpuOf(pid: number | undefined): number {
  const times = pid === undefined ? undefined : timesOf(pid);
  if (times === undefined) return 0;
  let total = times.ownMs + times.endedChildrenMs;
  for (const name of readdirSync('/proc')) {
    const child = /^\d+$/.test(name) ? timesOf(Number(name)) : undefined;
    if (child !== undefined && child.parent === pid) total += child.ownMs;
  }
  return total;
}

/** Resident memory of a process in MiB, now and at its peak. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
