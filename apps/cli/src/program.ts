import { Command, InvalidArgumentError, Option } from 'commander';

import { argumentsOf, optionsOf, takesText } from './arguments.ts';
import { examplesOf } from './examples.ts';
import type { CliOperation } from './operations.ts';
import { nouns } from './names.ts';

export type Run = (
  operation: CliOperation,
  words: readonly string[],
  options: Record<string, unknown>,
) => Promise<void>;

const general = `
Server and token come from the options, from SENESCHAL_CLI_SERVER and SENESCHAL_CLI_TOKEN, or from what
\`seneschal login\` has kept. Exit codes: 0 done, 1 the server refused, 2 wrong usage, 3 unreachable, 4 the job
failed, 5 some of it was not done, 130 interrupted. docs/command-line.md says more.`;

/** The program with its options for all subcommands, and one subcommand for each call. */
export function createProgram(operations: readonly CliOperation[], run: Run): Command {
  const program = new Command('seneschal')
    .description('Administers a Seneschal homeserver: every call of its admin API, and its jobs.')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: true })
    .showSuggestionAfterError()
    .addHelpText('after', general);
  for (const option of globalOptions()) program.addOption(option);
  for (const operation of operations) addOperation(program, operation, run);
  return program;
}

function globalOptions(): Option[] {
  return [
    new Option('--server <url>', 'address of the admin API'),
    new Option('--token-file <file>', 'file with the token; - for standard input'),
    new Option('--config <file>', 'where `login` keeps server and token'),
    new Option('--json', 'print answers as JSON'),
    new Option('--columns <names>', 'columns of tables, with commas').argParser((text) => text.split(',')),
    new Option('--dry-run', 'say what would happen; nothing does'),
    new Option('--yes', 'do not ask before something is done to many'),
    new Option('--reason <text>', 'why, for the audit log'),
    new Option('--no-wait', 'start jobs, and do not follow them'),
    new Option('--timeout <seconds>', 'how long one answer may take').default(120).argParser(seconds),
  ];
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError('It is a number of seconds.');
  return value;
}

/** The command of a noun, made when it is first asked for. */
export function groupOf(program: Command, noun: string): Command {
  return (
    program.commands.find((command) => command.name() === noun) ??
    program
      .command(noun)
      .description(nouns[noun] ?? `Calls about ${noun}`)
      .configureHelp({ showGlobalOptions: true, sortSubcommands: true })
  );
}

function addOperation(program: Command, operation: CliOperation, run: Run): void {
  const command = groupOf(program, operation.noun).command(operation.verb).description(operation.summary);
  for (const argument of argumentsOf(operation)) command.addArgument(argument);
  for (const field of operation.fields) for (const option of optionsOf(field)) command.addOption(option);
  if (operation.isPaged) command.option('--all', 'all pages');
  if (takesText(operation)) command.option('--text <text>', 'the content, as plain text');
  if (operation.takesBody)
    command.option('--body <json>', 'the body, or @FILE, or @- for standard input; options go over it');
  command.addHelpText('after', help(operation));
  command.action(async (...given: unknown[]) => {
    const words = command.processedArgs.flat().map(String);
    await run(operation, words, { ...(given.at(-2) as object), ...command.optsWithGlobals() });
  });
}

function help(operation: CliOperation): string {
  const { method, path, rehearsal, changes } = operation;
  const dryRun =
    rehearsal === undefined
      ? '--dry-run shows the request, and sends nothing.'
      : '--dry-run asks the server what would happen.';
  return [
    '',
    'Examples:',
    ...examplesOf(operation).map((line) => `  ${line}`),
    '',
    `${method} ${path}${changes ? `. ${dryRun}` : ''}`,
  ].join('\n');
}
