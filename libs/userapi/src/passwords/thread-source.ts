/** What a hashing thread is asked. */
export type HashTask =
  { kind: 'hash'; password: string; cost: number } | { kind: 'verify'; password: string; hash: string };

/** What it answers; an error's message never holds the password. */
export type HashResult = { ok: true; value: string | boolean } | { ok: false };

/**
 * The program of a hashing thread, as text: the code is bundled into one file, so there is no second file
 * that a thread could be started from. On Linux the thread gives way to all others (a nice value counts
 * for the one thread there), so requests stay quick while passwords are hashed on every core.
 */
export const threadSource = `
const { readlinkSync } = require('node:fs');
const { setPriority } = require('node:os');
const { parentPort, workerData } = require('node:worker_threads');
const { hashSync, verifySync } = require(workerData.bcrypt);
try {
  setPriority(Number(readlinkSync('/proc/thread-self').split('/').pop()), workerData.niceness);
} catch {
  // Not Linux: all threads are equal.
}
parentPort.on('message', (task) => {
  try {
    const value =
      task.kind === 'hash' ? hashSync(task.password, { cost: task.cost }) : verifySync(task.password, task.hash);
    parentPort.postMessage({ ok: true, value });
  } catch {
    parentPort.postMessage({ ok: false });
  }
});
`;
