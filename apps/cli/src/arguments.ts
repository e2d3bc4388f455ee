import { Argument, Option } from 'commander';

import { usage } from './exit-codes.ts';
import type { Field } from './fields.ts';
import type { CliOperation } from './operations.ts';
import { readText } from './settings.ts';

/** Fields whose values no command line may hold, as everybody on the machine can read it. */
export function isSecret(field: Field): boolean {
  return /password|secret/.test(field.path.at(-1) ?? '');
}

/** The options of a field: one, or for a switch the one that turns it off as well. */
export function optionsOf(field: Field): Option[] {
  const { flag, description, kind } = field;
  if (isSecret(field)) {
    return [
      new Option(
        `--${flag}-file <file>`,
        `file with the ${flag}, - for standard input; else it is asked for`,
      ),
    ];
  }
  if (kind === 'boolean' && !field.isList) {
    const [on, off] = [new Option(`--${flag}`, description), new Option(`--no-${flag}`, description)];
    return [on.hideHelp(field.isOn), off.hideHelp(!field.isOn)];
  }
  const option = new Option(`--${flag} <${placeholder(field)}>`, description);
  if (field.choices.length > 0 && !field.isList && !field.isNullable) option.choices([...field.choices]);
  if (field.isList)
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return [option];
}

function placeholder({ kind, choices, path }: Field): string {
  if (kind === 'number') return 'number';
  if (kind === 'json') return 'json';
  if (choices.length > 0 && choices.join('|').length <= 60) return choices.join('|');
  return (path.at(-1) ?? 'text').replaceAll('_', '-');
}

/** How commander calls the option of a field. */
function attributeOf(field: Field): string {
  return (optionsOf(field)[0] as Option).attributeName();
}

/** The positional arguments: those of the path, the only one as often as wanted. */
export function argumentsOf({ params }: CliOperation): Argument[] {
  if (params.length !== 1) return params.map((name) => new Argument(`<${argumentName(name)}>`));
  const name = argumentName(params[0] ?? '');
  return [new Argument(`<${name}...>`, `one or more; - reads them from standard input, one a line`)];
}

function argumentName(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
}

/** Whether it sends a message, whose content may be given as plain text. */
export function takesText({ fields }: CliOperation): boolean {
  const content = fields.find(({ path }) => path.join('.') === 'content');
  return content?.kind === 'json' && fields.every(({ flag }) => flag !== 'text');
}

/** The query and the body that options ask for. Throws usage errors. */
export function inputOf(
  operation: CliOperation,
  options: Readonly<Record<string, unknown>>,
): { query: Record<string, string>; body: Record<string, unknown> } {
  const query: Record<string, string> = {};
  const body: Record<string, unknown> = {};
  for (const field of operation.fields) {
    if (isSecret(field)) continue;
    const given = options[attributeOf(field)] as string | boolean | string[] | undefined;
    if (given === undefined) continue;
    if (field.place === 'query') query[field.path[0] ?? ''] = String(given);
    else put(body, field.path, valueOf(field, given));
  }
  const text = takesText(operation) ? options['text'] : undefined;
  if (text !== undefined) body['content'] = { msgtype: 'm.text', body: text };
  return { query, body };
}

function put(into: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[first] = value;
  else put((into[first] ??= {}) as Record<string, unknown>, rest, value);
}

function valueOf(field: Field, given: unknown): unknown {
  if (field.isList)
    return (given as string[]).flatMap((item) => split(field, item)).map((item) => one(field, item));
  return typeof given === 'string' ? one(field, given) : given;
}

/** What can only be one of a few words may be written with commas. */
function split({ choices }: Field, item: string): string[] {
  return choices.length > 0 ? item.split(',').map((word) => word.trim()) : [item];
}

function one(field: Field, text: string): unknown {
  if (field.isNullable && text === 'null') return null;
  if (field.kind === 'number') {
    const number = Number(text);
    if (text.trim() === '' || !Number.isFinite(number))
      throw usage(`--${field.flag}: ${text} is not a number.`);
    return number;
  }
  if (field.kind === 'boolean') return text === 'true';
  if (field.choices.length > 0 && !field.choices.includes(text)) {
    throw usage(`--${field.flag}: is one of ${field.choices.join(', ')}.`);
  }
  return field.kind === 'json' ? json(field.flag, text) : text;
}

function json(flag: string, text: string): unknown {
  const source = text.startsWith('@') ? readText(text.slice(1)) : text;
  try {
    return JSON.parse(source) as unknown;
  } catch {
    throw usage(`--${flag}: is not JSON.`);
  }
}

/** Throws unless everything is given that the call needs. Secrets are asked for later. */
export function requireFields(
  operation: CliOperation,
  { query, body }: { query: Readonly<Record<string, string>>; body: Readonly<Record<string, unknown>> },
): void {
  for (const field of operation.fields.filter(({ isRequired }) => isRequired)) {
    const name = field.path[0] ?? '';
    const isGiven = field.place === 'query' ? name in query : name in body;
    if (!isGiven && !isSecret(field)) throw usage(`--${field.flag} is needed: see --help.`);
  }
  for (const { oneOf } of operation.fields) {
    if (oneOf === undefined || oneOf in body) continue;
    const flags = operation.fields.filter((field) => field.oneOf === oneOf).map(({ flag }) => `--${flag}`);
    throw usage(`One of ${flags.join(', ')} is needed: see --help.`);
  }
}
