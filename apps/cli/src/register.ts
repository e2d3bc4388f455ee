import { createHmac } from 'node:crypto';

import { type Command, Option } from 'commander';

import { Client } from './client.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Host } from './host.ts';
import { readSecret } from './input.ts';
import { Printer } from './printer.ts';
import { groupOf } from './program.ts';
import { connectionOf, type GlobalOptions } from './settings.ts';

interface RegisterOptions extends GlobalOptions {
  admin?: boolean;
  displayname?: string;
  passwordFile?: string;
  secretFile?: string;
}

const path = '/_synapse/admin/v1/register';

const examples = `
Examples:
  seneschal users register alice --secret-file secret.txt
  SENESCHAL_CLI_SHARED_SECRET=… seneschal users register root --admin --password-file - < password.txt

GET and POST ${path}. --dry-run checks that the server has it, and makes nothing.`;

/** `seneschal users register`: an account, by the shared secret. What is sent is signed, so it is made by hand. */
export function addRegister(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = groupOf(program, 'users')
    .command('register')
    .description('Make an account with the shared secret of the configuration; prints its access token')
    .argument('<username>', 'the part of the user ID between @ and the server name')
    .option('--admin', 'an administrator')
    .option('--displayname <name>', 'the display name')
    .option('--password-file <file>', 'file with the password, - for standard input; else it is asked for')
    .addOption(
      new Option(
        '--secret-file <file>',
        'file with the shared secret; else SENESCHAL_CLI_SHARED_SECRET, or it is asked for',
      ),
    )
    .addHelpText('after', examples);
  command.action(async (username: string) => {
    const options = command.optsWithGlobals<RegisterOptions>();
    const { server } = await connectionOf(host, options);
    const client = new Client(server, undefined, options.timeout * 1000);
    const { nonce } = (await client.call('GET', path)).body as { nonce: string };
    if (options.dryRun === true) {
      host.stdout.write(`Would register ${username}.\n`);
      return;
    }
    const secret =
      host.env['SENESCHAL_CLI_SHARED_SECRET'] ??
      (await readSecret(host, { file: options.secretFile, name: 'Shared secret', flag: 'secret-file' }));
    const password = await readSecret(host, {
      file: options.passwordFile,
      name: 'Password',
      flag: 'password-file',
    });
    const { displayname, admin = false } = options;
    const mac = createHmac('sha1', secret)
      .update([nonce, username, password, admin ? 'admin' : 'notadmin'].join('\0'))
      .digest('hex');
    const answer = await client.call('POST', path, {
      body: { nonce, username, password, displayname, admin, mac },
    });
    const printer = new Printer(host, options);
    printer.answer(username, answer.body);
    printer.end();
    done(exitCodes.done);
  });
}
