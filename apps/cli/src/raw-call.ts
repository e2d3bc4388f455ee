import { type Command, Option } from 'commander';

import { Client } from './client.ts';
import { type ExitCode, exitCodes, usage } from './exit-codes.ts';
import type { Host } from './host.ts';
import { connectionOf, type GlobalOptions, readText } from './settings.ts';
import { harmless, printedJson } from './text.ts';

const examples = `
Examples:
  seneschal call GET '/_seneschal/v1/jobs?state=running'
  seneschal call POST /_seneschal/v1/rooms/purge --body '{"filter": {"empty_for_days": 30}}'`;

/** `seneschal call`: any path, for servers that have more calls than this program knows. */
export function addRawCall(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = program
    .command('call')
    .description('Make a call by its method and path, and print the answer')
    .argument('<method>', 'GET, POST, PUT or DELETE')
    .argument('<path>', 'with its query')
    .addOption(new Option('--body <json>', 'the body, or @FILE'))
    .addHelpText('after', examples);
  command.action(async (method: string, path: string) => {
    const options = command.optsWithGlobals<GlobalOptions & { body?: string }>();
    if (!/^(GET|POST|PUT|DELETE)$/i.test(method)) throw usage(`${method} is not GET, POST, PUT or DELETE.`);
    if (!path.startsWith('/')) throw usage('The path begins with /.');
    const body = options.body === undefined ? undefined : parse(options.body);
    if (options.dryRun === true && !/^GET$/i.test(method)) {
      host.stdout.write(`Would send ${method.toUpperCase()} ${harmless(path)}\n`);
      return;
    }
    const { server, token } = await connectionOf(host, options);
    const [bare = '', search = ''] = path.split(/\?(.*)/s);
    const query = new URLSearchParams(search);
    if (options.reason !== undefined) query.set('reason', options.reason);
    const client = new Client(server, token, options.timeout * 1000);
    const answer = await client.call(method.toUpperCase(), bare, {
      query: Object.fromEntries(query),
      ...(body === undefined ? {} : { body }),
    });
    const { body: said } = answer;
    const text = typeof said === 'string' ? said.split('\n').map(harmless).join('\n') : printedJson(said);
    host.stdout.write(`${text}\n`);
    done(exitCodes.done);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('@') ? readText(text.slice(1)) : text) as unknown;
  } catch {
    throw usage('--body: is not JSON.');
  }
}
