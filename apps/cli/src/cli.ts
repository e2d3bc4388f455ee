import { CommanderError } from 'commander';

import { addCompletion } from './completion.ts';
import { execute, type Options } from './execute.ts';
import { CliError, exitCodes, type ExitCode, Refused } from './exit-codes.ts';
import type { Host } from './host.ts';
import { addLogin } from './login.ts';
import { operationsOf } from './operations.ts';
import { createProgram } from './program.ts';
import { addRawCall } from './raw-call.ts';
import { addRegister } from './register.ts';
import { harmless } from './text.ts';

export type { Host } from './host.ts';

/** Runs the command line to its end. @returns the exit code */
export async function run(host: Host): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const operations = operationsOf(host.api).filter(({ verb }) => verb !== 'register');
  const program = createProgram(operations, async (operation, words, options) => {
    code = await execute(host, operation, words, options as Options);
  });
  const done = (result: ExitCode): void => void (code = result);
  addRegister(program, host, done);
  addLogin(program, host);
  addRawCall(program, host, done);
  addCompletion(program, host);
  for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns ?? 80,
      getErrHelpWidth: () => host.stderr.columns ?? 80,
    });
  }
  try {
    await program.parseAsync(host.args, { from: 'user' });
    return code;
  } catch (error) {
    return explain(host, error);
  }
}

function explain(host: Host, error: unknown): ExitCode {
  // Commander has printed what is wrong, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (!(error instanceof CliError)) throw error;
  const text = error.message.split('\n').map(harmless).join('\n');
  host.stderr.write(`${text}\n`);
  if (error instanceof Refused && error.jobId !== undefined) {
    host.stderr.write(`\`seneschal jobs show ${error.jobId}\` says more.\n`);
  }
  return error.code;
}
