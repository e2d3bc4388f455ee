import { root } from './setup/files.mjs';
import { runProgram } from './setup/lifecycle.mjs';
import { createLog } from './setup/log.mjs';
import { importProgram, prepare } from './setup/program.mjs';

/** Writes the pages that are made from the code, or the skeleton of a command, an endpoint or a component. */
await runProgram(async () => {
  await prepare(createLog());
  const { main } = await importProgram('generate');
  return main({ args: process.argv.slice(2), root });
});
