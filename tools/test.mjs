import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { ensureBuild } from './setup/build.mjs';
import { checkFormat, checkLint, checkTypes, runJest } from './setup/checks.mjs';
import { ensureDependencies } from './setup/dependencies.mjs';
import { describeError, SetupError } from './setup/errors.mjs';
import { root } from './setup/files.mjs';
import { runProgram } from './setup/lifecycle.mjs';
import { createLog } from './setup/log.mjs';
import { findRedis } from './setup/redis-binary.mjs';
import { startTemporaryServices } from './setup/temporary.mjs';

const help = `npm test [-- OPTIONS] [-- JEST'S OPTIONS]

Checks format, lint and types, and runs the unit and integration tests on a PostgreSQL and a Redis of
their own. The last line is \`N passed, N failed\`, in which format, lint and types count as one each.

  --project NAME…   the tests of these projects alone: roomserver, client-gateway, tools …
  --only PART       lint (with format), types or unit
  --help            this text

SENESCHAL_TEST_DATABASE_URL (a superuser) and SENESCHAL_TEST_REDIS_URL take services that run already.
`;

const log = createLog();

async function test(lifecycle) {
  const options = parse(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const count = { passed: 0, failed: 0 };
  try {
    await ensureDependencies(log);
    await runParts(options, lifecycle, (part) => {
      count.passed += part.passed;
      count.failed += part.failed;
    });
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    count.failed += 1;
  }
  process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
  return count.failed === 0 ? 0 : 1;
}

async function runParts({ only, folders, jest }, { signal, onStop }, add) {
  const whole = folders.length === 0;
  const wants = (part) => (only === undefined ? whole || part === 'unit' : only === part);
  const checks = [
    ...(wants('lint') ? [checkFormat, checkLint] : []),
    ...(wants('types') ? [checkTypes] : []),
  ];
  for (const check of checks) {
    const held = await check(signal);
    add({ passed: held ? 1 : 0, failed: held ? 0 : 1 });
  }
  if (!wants('unit') || signal.aborted) return;
  await ensureBuild(log);
  const services = await onStop(
    startTemporaryServices({ kind: 'test', log, durable: false, env: process.env }),
  );
  try {
    const env = await environmentOf(services);
    add(await runJest({ folders, env, signal, dataDir: services.dataDir, args: jest }));
  } finally {
    await services.stop();
  }
}

async function environmentOf({ databaseUrl, redisUrl, redisBinary }) {
  const binary = redisBinary ?? (await findRedis(join(root, '.cache', 'redis-package')));
  return {
    SENESCHAL_TEST_DATABASE_URL: databaseUrl,
    SENESCHAL_TEST_REDIS_URL: redisUrl,
    ...(binary === undefined ? {} : { SENESCHAL_TEST_REDIS_BINARY: binary.program }),
    ...(binary?.libraryPath === undefined ? {} : { SENESCHAL_TEST_REDIS_LIBRARY_PATH: binary.libraryPath }),
  };
}

function parse(args) {
  const end = args.indexOf('--');
  const jest = end < 0 ? [] : args.slice(end + 1);
  const { values, positionals } = read(end < 0 ? args : args.slice(0, end));
  if (values.only !== undefined && !['lint', 'types', 'unit'].includes(values.only)) {
    throw new SetupError('--only takes lint, types or unit.');
  }
  if (positionals.length > 0 && values.project === undefined) {
    throw new SetupError(`Tests are chosen by --project NAME, not ${positionals[0]}.`);
  }
  const names = [...(values.project ?? []), ...positionals];
  return { help: values.help, only: values.only, folders: names.map(folderOf), jest };
}

function read(args) {
  const options = {
    project: { type: 'string', multiple: true },
    only: { type: 'string' },
    help: { type: 'boolean', default: false, short: 'h' },
  };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new SetupError(`${error.message} See npm test -- --help.`);
  }
}

function folderOf(name) {
  const short = name.replace(/^@seneschal\//, '');
  const found = [`libs/${short}`, `apps/${short}`, short].find(
    (folder) => /^(libs|apps)\/[\w-]+$|^tools(\/[\w-]+)?$/.test(folder) && existsSync(join(root, folder)),
  );
  if (found === undefined) throw new SetupError(`There is no project named ${name} in apps or libs.`);
  return found;
}

await runProgram(test);
