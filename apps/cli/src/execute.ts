import { inputOf, isSecret, requireFields } from './arguments.ts';
import { type Context, makeCall, type Outcome, outcomeOf, type Prepared, watch } from './call.ts';
import { Client, fillPath } from './client.ts';
import { asRehearsal, confirm } from './confirm.ts';
import { exitCodes, type ExitCode, Refused, usage } from './exit-codes.ts';
import type { Host } from './host.ts';
import { readSecret, wholeInput } from './input.ts';
import type { CliOperation } from './operations.ts';
import { allPages } from './pages.ts';
import { Printer } from './printer.ts';
import { connectionOf, type GlobalOptions, readText } from './settings.ts';
import { harmless } from './text.ts';

/** Everything that commander read: the options of the call among those of all calls. */
export type Options = GlobalOptions & Readonly<Record<string, unknown>>;

/** Runs a subcommand; answers the exit code. Throws CliError. */
export async function execute(
  host: Host,
  operation: CliOperation,
  words: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const targets = await targetsOf(host, operation, words);
  const input = await readInput(host, operation, options);
  const prepared = targets.map((target) => prepare(operation, target, input, options));
  if (options.dryRun === true && operation.rehearsal === undefined && operation.changes) {
    for (const call of prepared) host.stdout.write(`Would send ${shown(call)}\n`);
    return exitCodes.done;
  }
  const connection = await connectionOf(host, options);
  const client = new Client(connection.server, connection.token, options.timeout * 1000);
  const isRehearsal = options.dryRun === true && operation.rehearsal !== undefined;
  const calls = isRehearsal ? prepared.map((call) => asRehearsal(operation, call)) : prepared;
  if (operation.isDestructive && !isRehearsal && options.yes !== true)
    await confirm(host, client, operation, calls);
  const context = { host, client, wait: options.wait };
  const printer = new Printer(host, options, calls.length > 1);
  if (operation.produces !== 'application/json') return plain(context, operation, calls, printer);
  return runAll(context, operation, { calls, targets, isPaged: options['all'] === true }, printer);
}

interface Batch {
  calls: readonly Prepared[];
  targets: readonly (readonly string[])[];
  isPaged: boolean;
}

/** One target after another: one that goes wrong stops none of the others. */
async function runAll(
  context: Context,
  operation: CliOperation,
  { calls, targets, isPaged }: Batch,
  printer: Printer,
): Promise<ExitCode> {
  const codes: ExitCode[] = [];
  for (const [at, call] of calls.entries()) {
    const target = targets[at]?.join(' ') ?? '';
    try {
      const { answer, code } = isPaged
        ? outcomeOf(await allPages(context.client, call), undefined)
        : await makeCall(context, operation, call);
      printer.answer(target, answer);
      codes.push(code);
    } catch (error) {
      if (calls.length === 1 || !(error instanceof Refused)) throw error;
      printer.failure(target, error);
      codes.push(error.code);
    }
  }
  printer.end();
  const [first = exitCodes.done] = codes;
  return codes.every((code) => code === first) ? first : exitCodes.partial;
}

/** What is no JSON: a job's events are followed, everything else is printed as it comes. */
async function plain(
  context: Context,
  { method, produces }: CliOperation,
  calls: readonly Prepared[],
  printer: Printer,
): Promise<ExitCode> {
  const outcomes: Outcome[] = [];
  for (const { path, query } of calls) {
    if (produces === 'text/event-stream') {
      const job = await watch(context, decodeURIComponent(path.split('/').at(-2) ?? ''));
      outcomes.push(outcomeOf(job, job));
      printer.answer(job.job_id, job);
    } else {
      await printer.raw(await context.client.open(method, path, { query }));
    }
  }
  printer.end();
  return outcomes.find(({ code }) => code !== exitCodes.done)?.code ?? exitCodes.done;
}

interface Input {
  query: Record<string, string>;
  body: unknown;
}

function prepare(
  operation: CliOperation,
  target: readonly string[],
  input: Input,
  options: Options,
): Prepared {
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  return {
    method: operation.method,
    path: fillPath(operation.path, target),
    query: { ...input.query, ...reason },
    body: input.body,
  };
}

async function readInput(host: Host, operation: CliOperation, options: Options): Promise<Input> {
  const { query, body } = inputOf(operation, options);
  if (!operation.takesBody) {
    requireFields(operation, { query, body });
    return { query, body: undefined };
  }
  const given = await givenBody(host, options['body'] as string | undefined);
  for (const field of operation.fields.filter(isSecret)) {
    const [name = ''] = field.path;
    if (name in given) continue;
    const file = options[`${field.flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}File`];
    const label = `${name.charAt(0).toUpperCase()}${name.slice(1)}`.replaceAll('_', ' ');
    body[name] = await readSecret(host, {
      file: file as string | undefined,
      name: label,
      flag: `${field.flag}-file`,
    });
  }
  const rehearsal = operation.rehearsal === 'body' ? { dry_run: false } : {};
  const whole = { ...rehearsal, ...given, ...body };
  requireFields(operation, { query, body: whole });
  return { query, body: whole };
}

/** The body that --body gives: JSON, or the name of a file with it after @; @- is standard input. */
async function givenBody(host: Host, text: string | undefined): Promise<Record<string, unknown>> {
  if (text === undefined) return {};
  const source =
    text === '@-' ? await wholeInput(host.stdin) : text.startsWith('@') ? readText(text.slice(1)) : text;
  try {
    const value = JSON.parse(source) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw usage('--body: is no JSON object.');
}

/** The values for the path: of the only parameter as many as there are words, or lines of standard input. */
async function targetsOf(
  host: Host,
  { params }: CliOperation,
  words: readonly string[],
): Promise<string[][]> {
  if (params.length !== 1) return [[...words]];
  if (!words.includes('-')) return words.map((word) => [word]);
  if (words.length > 1) throw usage('- stands for all targets: give it alone.');
  const lines = (await wholeInput(host.stdin)).split(/\r?\n/).map((line) => line.trim());
  const targets = [...new Set(lines.filter((line) => line !== ''))];
  if (targets.length === 0) throw usage('Standard input names no target.');
  return targets.map((target) => [target]);
}

function shown({ method, path, query, body }: Prepared): string {
  const search = new URLSearchParams(query).toString();
  const content = JSON.stringify(body, (name, value: unknown) =>
    /password|secret/.test(name) ? '…' : value,
  );
  return harmless(
    `${method} ${path}${search === '' ? '' : `?${search}`}${body === undefined ? '' : ` ${content}`}`,
  );
}
