/** @returns a log that writes whole lines through `write`, and times the steps of a set-up. */
export function createLog(write = (line) => process.stdout.write(`${line}\n`)) {
  return {
    info: write,
    /** Runs one step, and prints it with its time when it took more than a second. */
    async step(name, work) {
      const before = performance.now();
      const result = await work();
      const took = performance.now() - before;
      if (took > 1000) write(`${name}: ${seconds(took)}`);
      return result;
    },
  };
}

/** Milliseconds as a person reads them: `2.4 s`. */
export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** For programs whose output is their own. */
export const silent = createLog(() => undefined);
