import { parse } from 'yaml';
import { z } from 'zod';

import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

type ValueOf<S> = S extends Setting<infer T> ? T : never;
type SettingName = keyof typeof settings;

/** Every setting, checked, under the name it has in the file. */
export type Config = { readonly [Name in SettingName]: ValueOf<(typeof settings)[Name]> };

/** A start that the configuration does not allow. Names settings, never their values. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/** Variables that the programs in tools/ and the tests use; they are no settings of the server. */
const foreign = /^SENESCHAL_(TEST|CI|CLI|BENCH|DEMO)_/;

/**
 * Reads the configuration once: environment over file over defaults. Unknown keys and variables, bad
 * values and weak secrets throw one ConfigError that names them all.
 * @param yaml the text of the file, or undefined when there is none
 */
export function loadConfig(
  yaml: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const problems: string[] = [];
  const file = readFile(yaml, problems);
  const variables = new Set<string>(Object.values(settings).map((one) => one.environment));
  for (const name of Object.keys(environment)) {
    if (name.startsWith('SENESCHAL_') && !variables.has(name) && !foreign.test(name)) {
      problems.push(`${name} is not a setting. docs/configuration.md lists them all.`);
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(settings) as [SettingName, Setting<unknown>][]) {
    const fromEnvironment = environment[one.environment];
    const raw = fromEnvironment ?? file[name] ?? one.fallback;
    const source = fromEnvironment === undefined ? name : one.environment;
    const result = one.shape.safeParse(raw);
    if (result.success) values[name] = result.data;
    else problems.push(describe(source, raw, result.error));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Config;
}

function describe(source: string, raw: unknown, error: z.ZodError): string {
  if (raw === null) return `${source} is not set, but needed. docs/configuration.md says what it takes.`;
  if (raw === '') return `${source} is empty. Remove it, or give it a value.`;
  return `${source} ${error.issues[0]?.message ?? 'is not valid'}.`;
}

function readFile(yaml: string | undefined, problems: string[]): Record<string, unknown> {
  if (yaml === undefined) return {};
  const parsed: unknown = parseYaml(yaml);
  if (parsed === null || parsed === undefined) return {};
  const shape = z.record(z.string(), z.unknown()).safeParse(parsed);
  if (!shape.success)
    throw new ConfigError(['The configuration file is not a list of `setting: value` lines.']);
  for (const key of Object.keys(shape.data)) {
    if (!(key in settings)) problems.push(`${key} is not a setting. docs/configuration.md lists them all.`);
  }
  return shape.data;
}

function parseYaml(yaml: string): unknown {
  try {
    return parse(yaml);
  } catch {
    // The parser's own message quotes the line, which may hold a secret.
    throw new ConfigError(['The configuration file is not valid YAML.']);
  }
}
