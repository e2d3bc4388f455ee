import { parseArgs } from 'node:util';

import type { Config } from '@seneschal/config';
import type { Stoppable } from '@seneschal/observability';

import { readConfig } from './read-config.ts';
import { explainStart, StartError } from './start-error.ts';

/** The part of Node's `process` that a service needs; only main.ts hands it in. */
export type Host = Pick<NodeJS.Process, 'argv' | 'env' | 'exit' | 'on' | 'stdout' | 'stderr'>;

export interface ServiceDefinition {
  /** As in `node dist/<name>.mjs`. */
  name: string;
  summary: string;
  /** What the words after the options mean; without it there must be none. */
  words?: string;
  start(config: Config, words: readonly string[]): Promise<Stoppable>;
}

/** Beyond the time that requests and commands have, the rest of the shutdown has this long. */
const shutdownGraceMs = 5000;

/**
 * Runs one service as a process: reads arguments and configuration, starts it, stops it on SIGINT and
 * SIGTERM (a second one ends the process at once). A failed start prints one sentence and exits with 1.
 */
export async function runService(host: Host, definition: ServiceDefinition): Promise<void> {
  try {
    const { config: configFile, help, words } = readArguments(host.argv.slice(2), definition);
    if (help) {
      host.stdout.write(helpText(definition));
      return;
    }
    const config = readConfig(configFile, host.env);
    const service = await definition.start(config, words);
    stopOnSignal(host, service, config.shutdown_timeout + shutdownGraceMs);
  } catch (error) {
    host.stderr.write(`${explainStart(error) ?? stackOf(error)}\n`);
    host.exit(1);
  }
}

function readArguments(
  args: string[],
  definition: ServiceDefinition,
): { config: string | undefined; help: boolean; words: string[] } {
  const options = { config: { type: 'string' }, help: { type: 'boolean', default: false } } as const;
  try {
    const { values, positionals } = parseArgs({
      args,
      options,
      allowPositionals: definition.words !== undefined,
    });
    return { config: values.config, help: values.help, words: positionals };
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'The arguments cannot be read.';
    throw new StartError(`${problem} --help says what there is.`, { cause: error });
  }
}

function helpText({ name, summary, words }: ServiceDefinition): string {
  return [
    `node ${name}.mjs [--config FILE]${words === undefined ? '' : ` [${words}]`}`,
    '',
    summary,
    '',
    'Settings come from the file (seneschal.yaml unless named) and from SENESCHAL_* variables;',
    'docs/configuration.md lists them.',
    '',
  ].join('\n');
}

function stopOnSignal(host: Host, service: Stoppable, withinMs: number): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) host.exit(1);
    stopping = true;
    setTimeout(() => host.exit(1), withinMs).unref();
    service.stop().then(
      () => host.exit(0),
      (error: unknown) => {
        host.stderr.write(`${stackOf(error)}\n`);
        host.exit(1);
      },
    );
  };
  host.on('SIGINT', stop);
  host.on('SIGTERM', stop);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
