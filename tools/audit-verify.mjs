import { runProgram } from './setup/lifecycle.mjs';
import { runBesideServer } from './setup/program.mjs';

await runProgram((lifecycle) =>
  runBesideServer({ name: 'audit-verify', args: process.argv.slice(2), lifecycle }),
);
