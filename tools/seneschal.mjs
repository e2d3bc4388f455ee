import { describeError } from './setup/errors.mjs';
import { createLog } from './setup/log.mjs';
import { importProgram, prepare } from './setup/program.mjs';

// Nothing of the set-up goes to standard output, which is for answers.
try {
  await prepare(createLog((line) => process.stderr.write(`${line}\n`)));
  await importProgram('cli');
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
