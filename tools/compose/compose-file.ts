import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

/** A service of docker-compose.yml, as far as the tests look at it. */
export interface Service {
  image: string;
  command?: string;
  ports?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  [key: string]: unknown;
}

/** The services of docker-compose.yml with `${NAME}`, `${NAME:-fallback}` and `${NAME:?message}` filled in. */
export function readServices(variables: Readonly<Record<string, string>>): Record<string, Service> {
  const file = new URL('../../docker-compose.yml', import.meta.url);
  const text = readFileSync(file, 'utf8').replace(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_match, name: string, kind: string | undefined, rest: string | undefined) => {
      const value = variables[name];
      if (value !== undefined) return value;
      if (kind === '-') return rest ?? '';
      throw new Error(`${name} is not set: ${rest ?? 'it has no fallback'}`);
    },
  );
  return (parse(text, { merge: true }) as { services: Record<string, Service> }).services;
}

/** The services that run programs of ours. */
export function ourServices(services: Record<string, Service>): [string, Service & { command: string }][] {
  return Object.entries(services).filter(
    (entry): entry is [string, Service & { command: string }] =>
      entry[1].command?.startsWith('node dist/') === true,
  );
}
