import { checkFormat, checkLint } from './setup/checks.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { runProgram } from './setup/lifecycle.mjs';
import { createLog } from './setup/log.mjs';

await runProgram(async ({ signal }) => {
  await ensureDependencies(createLog());
  const held = [await checkFormat(signal), await checkLint(signal)];
  return held.every(Boolean) ? 0 : 1;
});
