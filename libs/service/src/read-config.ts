import { existsSync, readFileSync } from 'node:fs';

import { type Config, ConfigError, loadConfig } from '@seneschal/config';

type Environment = Readonly<Record<string, string | undefined>>;

/** The file that is read when none is named. */
export const defaultConfigFile = 'seneschal.yaml';

/**
 * Reads the configuration from `file`, or from `seneschal.yaml` in the working folder when there is one,
 * and from the environment. Throws ConfigError.
 */
export function readConfig(file: string | undefined, environment: Environment): Config {
  const chosen = file ?? (existsSync(defaultConfigFile) ? defaultConfigFile : undefined);
  return loadConfig(chosen === undefined ? undefined : readText(chosen), environment);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new ConfigError([`The configuration file ${file} cannot be read.`]);
  }
}
