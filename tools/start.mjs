import { setTimeout as wait } from 'node:timers/promises';

import { SetupError } from './setup/errors.mjs';
import { runProgram } from './setup/lifecycle.mjs';
import { createLog, seconds } from './setup/log.mjs';
import { asksForHelp, environmentFor, importProgram, prepare, takeConfigArgument } from './setup/program.mjs';
import { startServices } from './setup/services.mjs';
import { ensureConfig, readSettings } from './setup/settings.mjs';

const help = `npm start [-- --config FILE]

Runs the homeserver with everything it needs: the npm packages, PostgreSQL and Redis.

  --config FILE   the configuration; else ./seneschal.yaml, else seneschal.yaml in the data folder,
                  which is written at the first start
  --help          this text

The data stand in ./data, or where data_dir or SENESCHAL_DATA_DIR says. SENESCHAL_DATABASE_URL and
SENESCHAL_REDIS_URL (or database_url and redis_url) take services that run already. Ctrl-C stops
everything that was started; a second one does not wait for anything.
`;

async function start({ signal, onStop }) {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) {
    process.stdout.write(help);
    return 0;
  }
  const { named, rest } = takeConfigArgument(args);
  if (rest.length > 0) throw new SetupError(`${rest[0]} is no option of npm start: see npm start -- --help.`);
  const log = createLog();
  await prepare(log);
  ensureConfig({ named, env: process.env, log });
  const { configFile, dataDir, given } = readSettings({ named, env: process.env });
  const services = await onStop(startServices({ dataDir, given, log }));
  const { main } = await importProgram('homeserver');
  const env = environmentFor({ ...services, dataDir });
  const server = await onStop(log.step('Server', () => main({ configFile, env })));
  log.info(
    `Seneschal is ready at ${server.address} (${seconds(performance.now())}); the data stand in ${dataDir}.`,
  );
  await watch(services, signal);
  log.info('Stopping …');
  return 0;
}

/** Until the signal; a service that ends by itself ends us, so that whoever supervises us starts anew. */
async function watch(services, signal) {
  while (!signal.aborted) {
    const dead = services.died();
    if (dead !== undefined) throw new SetupError(`${dead} ended by itself: see its log in the data folder.`);
    await wait(1000, undefined, { signal }).catch(() => undefined);
  }
}

await runProgram(start);
