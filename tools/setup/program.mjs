import { pathToFileURL } from 'node:url';

import { builtProgram, ensureBuild } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { readJson } from './files.mjs';
import { createLog, silent } from './log.mjs';
import { isInUse, servicesFile, startServices } from './services.mjs';
import { readSettings } from './settings.mjs';
import { startTemporaryServices } from './temporary.mjs';

/** The module of a built program. */
export async function importProgram(name) {
  return import(pathToFileURL(builtProgram(name)).href);
}

/** Installs and builds what is missing; both cost next to nothing when nothing is. */
export async function prepare(log) {
  await ensureDependencies(log);
  await ensureBuild(log);
}

/**
 * Runs dist/<name>.mjs on services and a data folder of its own, which are gone afterwards.
 * @param lifecycle what runProgram hands to its work
 * @returns the program's exit code
 */
export async function runOnTemporaryServices({ name, durable, args, lifecycle: { signal, onStop } }) {
  const log = createLog();
  await prepare(log);
  const { main } = await importProgram(name);
  if (asksForHelp(args)) return main({ args, env: process.env, signal });
  const services = await onStop(startTemporaryServices({ kind: name, log, durable, env: process.env }));
  const env = environmentFor(services);
  return main({ args, env, pids: services.pids, signal });
}

/** Runs dist/<name>.mjs on the services of the data folder: the running ones, else started for the moment. */
export async function runBesideServer({ name, args, lifecycle: { signal, onStop } }) {
  const log = createLog((line) => process.stderr.write(`${line}\n`));
  await prepare(log);
  const { main } = await importProgram(name);
  const { named, rest } = takeConfigArgument(args);
  if (asksForHelp(args)) return main({ args: rest, env: process.env, signal });
  const settings = readSettings({ named, env: process.env });
  const running = isInUse(settings.dataDir) ? readJson(servicesFile(settings.dataDir)) : undefined;
  const services = running ?? (await onStop(startServices({ ...settings, log: silent })));
  const env = environmentFor({ ...services, dataDir: settings.dataDir });
  return main({ args: rest, env, stdin: process.stdin, configFile: settings.configFile, signal });
}

/** The environment for a program of ours: everything of ours, with the services put in. */
export function environmentFor({ databaseUrl, redisUrl, dataDir }) {
  return {
    ...process.env,
    SENESCHAL_DATABASE_URL: databaseUrl,
    SENESCHAL_REDIS_URL: redisUrl,
    SENESCHAL_DATA_DIR: dataDir,
  };
}

/** Takes `--config FILE` or `--config=FILE` out of the arguments. */
export function takeConfigArgument(args) {
  const rest = [];
  let named;
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at];
    if (argument === '--config') named = args[(at += 1)] ?? '';
    else if (argument.startsWith('--config=')) named = argument.slice('--config='.length);
    else rest.push(argument);
  }
  return { named, rest };
}

export function asksForHelp(args) {
  return args.includes('--help') || args.includes('-h');
}
