import { runProgram } from './setup/lifecycle.mjs';
import { runOnTemporaryServices } from './setup/program.mjs';

await runProgram((lifecycle) =>
  runOnTemporaryServices({ name: 'demo', durable: false, args: process.argv.slice(2), lifecycle }),
);
