import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

import { SetupError } from './errors.mjs';
import { dataFolderMode, makeFolder, randomSecret, readText, root, writeWhole } from './files.mjs';

/**
 * What the set-up itself has to know of the configuration: environment over file over defaults. Everything
 * else, and every check, is the server's.
 * @param named the file of --config, or undefined
 * @returns {{configFile?: string, dataDir: string, given: {databaseUrl?: string, redisUrl?: string}}}
 * @throws SetupError
 */
export function readSettings({ named, env, folder = process.cwd() }) {
  refuseEmptyFolder(env);
  const configFile = findConfig({ named, env, folder });
  const file = configFile === undefined ? {} : parse(configFile);
  const text = (value) => (typeof value === 'string' && value !== '' ? value : undefined);
  return {
    ...(configFile === undefined ? {} : { configFile }),
    dataDir: resolve(folder, env.SENESCHAL_DATA_DIR ?? text(file.data_dir) ?? 'data'),
    given: {
      databaseUrl: env.SENESCHAL_DATABASE_URL ?? text(file.database_url),
      redisUrl: env.SENESCHAL_REDIS_URL ?? text(file.redis_url),
    },
  };
}

/** An empty name would be the working folder itself. */
function refuseEmptyFolder(env) {
  if (env.SENESCHAL_DATA_DIR !== '') return;
  throw new SetupError('SENESCHAL_DATA_DIR is empty. Remove it, or give it a value.');
}

function findConfig({ named, env, folder }) {
  if (named !== undefined) {
    const file = resolve(folder, named);
    if (existsSync(file)) return file;
    throw new SetupError(`The configuration file ${file} does not exist: give another with --config.`);
  }
  return [join(folder, 'seneschal.yaml'), madeConfig({ env, folder })].find(existsSync);
}

function madeConfig({ env, folder }) {
  return join(resolve(folder, env.SENESCHAL_DATA_DIR ?? 'data'), 'seneschal.yaml');
}

function parse(file) {
  const { parse: parseYaml } = createRequire(join(root, 'libs/config/package.json'))('yaml');
  try {
    const value = parseYaml(readText(file));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // The parser's own message quotes the line, which may hold a secret.
    throw new SetupError(`The configuration file ${file} is not valid YAML.`);
  }
}

/** Writes a first configuration into the data folder when there is none; the server then reads it. */
export function ensureConfig({ named, env, log, folder = process.cwd() }) {
  refuseEmptyFolder(env);
  if (env.SENESCHAL_REGISTRATION_SHARED_SECRET !== undefined) return;
  if (findConfig({ named, env, folder }) !== undefined) return;
  const file = madeConfig({ env, folder });
  makeFolder(dirname(file), dataFolderMode);
  writeWhole(file, firstConfig(randomSecret(), env));
  log.info(`Wrote a first configuration: ${file}`);
}

function firstConfig(secret, env) {
  const name = env.SENESCHAL_SERVER_NAME ?? 'localhost';
  return `# The configuration of this homeserver. docs/configuration.md has every setting; an environment
# variable (SENESCHAL_SERVER_NAME for server_name, and so on) overrides what stands here.

# The domain that user IDs end in. It cannot be changed once there are users.
server_name: ${JSON.stringify(name)}

# Whoever knows this can make accounts, administrators too, through /_synapse/admin/v1/register.
registration_shared_secret: ${JSON.stringify(secret)}

# Where all APIs are served.
# listen: 127.0.0.1:8008

# May anybody register an account?
# registration_enabled: off
`;
}
