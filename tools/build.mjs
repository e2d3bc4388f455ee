import { runProgram } from './setup/lifecycle.mjs';
import { createLog } from './setup/log.mjs';
import { prepare } from './setup/program.mjs';

await runProgram(async () => {
  await prepare(createLog());
  return 0;
});
