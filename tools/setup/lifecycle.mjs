import { describeError } from './errors.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** npm passes on the signal that the terminal sent to both of us, so the second comes at once. */
const echo = 1000;
/** What a program may take to end by itself after a signal. */
const patience = 5000;

/**
 * Runs a program to its end: through its work or a signal, then everything registered is stopped in
 * reverse order. A second signal kills instead. Ends the process.
 * @param work ({ signal, onStop }) => Promise<exit code>. `signal` aborts at SIGINT, SIGTERM and SIGHUP;
 *   `onStop(promise)` registers what is being started: it resolves to { stop(), kill?() }
 */
export async function runProgram(work) {
  // A closed terminal or pipe must not keep us from stopping what runs.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const controller = new AbortController();
  const stoppables = [];
  const signalled = onSignals(controller, () => kill(stoppables));
  const onStop = (promise) => {
    const entry = { started: undefined, settled: undefined };
    const note = (started) => (entry.started = started);
    entry.settled = promise.then(note, () => undefined);
    stoppables.push(entry);
    return promise;
  };
  const running = Promise.resolve()
    .then(() => work({ signal: controller.signal, onStop }))
    .catch((error) => report(error, controller.signal));
  const code = await Promise.race([running, signalled.then(() => within(running, patience))]);
  const stopped = await stopAll(stoppables);
  process.exit(stopped ? (code ?? 130) : 1);
}

function onSignals(controller, force) {
  let first = 0;
  return new Promise((resolve) => {
    const handle = () => {
      if (first === 0) {
        first = performance.now();
        controller.abort();
        resolve();
      } else if (performance.now() - first > echo) {
        void force().finally(() => process.exit(130));
      }
    };
    for (const signal of signals) process.on(signal, handle);
  });
}

function report(error, signal) {
  // What fails because it was interrupted needs no message.
  if (signal.aborted) return 130;
  process.stderr.write(`${describeError(error)}\n`);
  return 1;
}

async function stopAll(stoppables) {
  let allStopped = true;
  for (const entry of [...stoppables].reverse()) {
    try {
      await entry.settled;
      await entry.started?.stop();
    } catch (error) {
      process.stderr.write(`${describeError(error)}\n`);
      allStopped = false;
    }
  }
  return allStopped;
}

async function kill(stoppables) {
  for (const { started } of stoppables) await started?.kill?.().catch(() => undefined);
}

function within(promise, milliseconds) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, milliseconds, undefined))]);
}
