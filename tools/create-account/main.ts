import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, types } from 'node:util';

import { isMatrixError } from '@seneschal/matrix';
import { explainStart, readConfig } from '@seneschal/service';

import { checkName, createAccount } from './create-account.ts';
import { type Input, Refused, readPassword } from './password.ts';

interface Context {
  args: string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Where the password comes from; standard input when not given. */
  stdin?: Input;
  configFile?: string | undefined;
  /** What prints; standard output and error when not given. */
  print?: (text: string) => void;
  complain?: (text: string) => void;
}

const help = `npm run create-account -- --username NAME [--admin] [--config FILE]

Makes an account, beside a running server or without one, and prints its user ID.

  --username NAME  the part of the user ID between @ and the server name
  --admin          an administrator
  --config FILE    the configuration; else the one that npm start uses

The password is asked for twice, or read from the first line of standard input when that is no terminal.
`;

/** @returns the exit code */
export async function main(context: Context): Promise<number> {
  const print = context.print ?? ((text) => process.stdout.write(text));
  const complain = context.complain ?? ((text) => process.stderr.write(text));
  try {
    const { values } = parseArgs({
      args: context.args,
      options: {
        username: { type: 'string' },
        admin: { type: 'boolean', default: false },
        config: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      print(help);
      return 0;
    }
    if (values.username === undefined) throw new Refused('Say which account: --username NAME.');
    const config = readConfig(values.config ?? context.configFile, context.env);
    checkName(values.username, config);
    const password = await readPassword(context.stdin ?? process.stdin, complain);
    print(
      `${await createAccount(config, { localpart: values.username, password, isAdmin: values.admin })}\n`,
    );
    return 0;
  } catch (error) {
    complain(`${explain(error)}\n`);
    return 1;
  }
}

function explain(error: unknown): string {
  if (error instanceof Refused || isMatrixError(error)) return error.message;
  const message = explainStart(error) ?? (types.isNativeError(error) ? error.message : String(error));
  return message.split('\n')[0] ?? message;
}

function isRunDirectly(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isRunDirectly()) {
  process.exitCode = await main({ args: process.argv.slice(2), env: process.env });
}
