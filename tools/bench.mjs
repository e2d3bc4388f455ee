import { runProgram } from './setup/lifecycle.mjs';
import { runOnTemporaryServices } from './setup/program.mjs';

// Durable, so that what is measured includes writing commits to the disk.
await runProgram((lifecycle) =>
  runOnTemporaryServices({ name: 'bench', durable: true, args: process.argv.slice(2), lifecycle }),
);
