import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { readConfig, runService } from '@seneschal/service';

import { startHomeserver } from './homeserver.ts';

/** What the starter in tools/ calls, in its own process. */
export async function main(given: {
  configFile?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}): Promise<{ address: string; adminAddress?: string; stop(): Promise<void> }> {
  return startHomeserver(readConfig(given.configFile, given.env));
}

function isRunDirectly(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isRunDirectly()) {
  await runService(process, {
    name: 'homeserver',
    summary: 'Runs every component and serves every API, on a PostgreSQL and a Redis that are already there.',
    start: (config) => startHomeserver(config),
  });
}
