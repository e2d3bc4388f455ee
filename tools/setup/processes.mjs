import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** What tells a process from a later one with the same number: its start in clock ticks, and the boot. */
export function identify(pid) {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // The name, in parentheses, may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie whose parent does not collect it has ended for all that matters here.
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, started: fields[19], boot: bootId() };
}

/** Is the identified process, and not another with its number, still there? */
export function isAlive(identity) {
  if (!Number.isInteger(identity?.pid) || identity.pid <= 0) return false;
  const now = identify(identity.pid);
  return now !== undefined && now.started === identity.started && now.boot === identity.boot;
}

/** The arguments a process was started with; empty where there is no such process. */
export function commandLine(pid) {
  return (readProc(pid, 'cmdline') ?? '').split('\0').slice(0, -1);
}

/** The processes whose working folder is the given one. */
export function processesIn(folder) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => workingFolder(pid) === folder)
    .map(identify)
    .filter((identity) => identity !== undefined);
}

/**
 * Ends a process: sends each signal in turn and gives it that many milliseconds.
 * @param steps for instance [['SIGTERM', 10_000], ['SIGKILL', 2000]]
 * @returns whether it is gone
 */
export async function endProcess(identity, steps) {
  for (const [signal, patience] of steps) {
    if (!isAlive(identity)) return true;
    signalTo(identity.pid, signal);
    if (await until(() => !isAlive(identity), patience)) return true;
  }
  return !isAlive(identity);
}

/** Asks again and again, until the answer is truthy (returned) or the time is over (undefined). */
export async function until(question, patience, pause = 10) {
  const end = performance.now() + patience;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (performance.now() > end) return undefined;
    await wait(pause);
  }
}

/**
 * Runs a program to its end. Never rejects: a program that cannot be started has code -1.
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export function run(command, args, { input = '', ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text) => (output.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (output.stderr += text));
    child.on('error', (error) => resolve({ code: -1, stdout: '', stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? -1, ...output }));
    // A program that ends without reading its input is no failure of ours.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Starts a service in a session of its own, so that Ctrl-C in the terminal reaches only us. */
export function startDetached(command, args, options) {
  const child = spawn(command, args, { detached: true, ...options });
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child));
  });
}

function signalTo(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function readProc(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}

function workingFolder(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function bootId() {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
