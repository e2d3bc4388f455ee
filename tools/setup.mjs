import { join } from 'node:path';

import { root } from './setup/files.mjs';
import { runProgram } from './setup/lifecycle.mjs';
import { createLog } from './setup/log.mjs';
import { prepare } from './setup/program.mjs';
import { ensureRedis } from './setup/redis-binary.mjs';
import { readSettings } from './setup/settings.mjs';

/** Everything that a first `npm start` would fetch or build, and nothing is started. */
await runProgram(async () => {
  const log = createLog();
  await prepare(log);
  const { dataDir, given } = readSettings({ env: process.env });
  if (given.redisUrl === undefined) {
    await ensureRedis({ packageFolder: join(dataDir, 'redis-package'), log });
  }
  log.info(`Everything is in place in ${root}. npm start runs the server.`);
  return 0;
});
