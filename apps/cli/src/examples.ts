import { isSecret, takesText } from './arguments.ts';
import type { Field } from './fields.ts';
import type { CliOperation } from './operations.ts';

/** What stands for a value in an example, by how the value is called. */
const samples: readonly (readonly [pattern: RegExp, sample: string])[] = [
  [/^room_?ids?$/i, "'!room:example.org'"],
  [/^(user_?ids?|user|assignee|actor|creator)$/i, '@alice:example.org'],
  [/^server_?name$/i, 'example.org'],
  [/^report_?id$/i, '7'],
  [/^transaction_?id$/i, 'maintenance-1'],
  [/^file$/, 'export.ndjson.gz'],
  [/^content$/, '\'{"msgtype": "m.text", "body": "Down for maintenance at 20:00."}\''],
];

/** Lines that show how a subcommand is used; each can be run as it stands, where there is what it names. */
export function examplesOf(operation: CliOperation): string[] {
  const { noun, verb, params } = operation;
  const start = ['seneschal', noun, verb, ...params.map(sampleOf)];
  const required = operation.fields
    .filter((field, at, all) => isNeeded(field, all.slice(0, at)))
    .map((field) => `--${field.flag}${field.kind === 'boolean' ? '' : ` ${valueOf(field)}`}`);
  const base = [...start, ...required, ...message(operation)].join(' ');
  const lines = [base];
  if (operation.changes) lines.push(`${base} --dry-run`);
  if (operation.isPaged) lines.push(`${base} --all --json`);
  if (operation.isLong) lines.push(`${base} --no-wait`);
  if (params.length === 1 && operation.isDestructive) {
    lines.push(
      `${['seneschal', noun, verb, '-', ...required].join(' ')} --yes --reason 'Spam' < targets.txt`,
    );
  }
  return lines;
}

/** To whom a message goes, and what it says. */
function message(operation: CliOperation): string[] {
  if (!takesText(operation)) return [];
  const isToAll = operation.fields.some(({ flag }) => flag === 'all');
  return [isToAll ? '--all' : '--user-id @alice:example.org', "--text 'Down for maintenance at 20:00.'"];
}

/** Of parts of which one is needed the first. */
function isNeeded(field: Field, before: readonly Field[]): boolean {
  if (field.oneOf !== undefined) return before.every(({ oneOf }) => oneOf !== field.oneOf);
  return field.isRequired && !isSecret(field);
}

function sampleOf(name: string): string {
  return samples.find(([pattern]) => pattern.test(name))?.[1] ?? name.toUpperCase();
}

function valueOf(field: Field): string {
  const [choice] = field.choices;
  if (choice !== undefined) return choice;
  if (field.kind === 'number') return '1';
  return field.kind === 'json' && field.path.at(-1) !== 'content'
    ? "'{}'"
    : sampleOf(field.path.at(-1) ?? '');
}
