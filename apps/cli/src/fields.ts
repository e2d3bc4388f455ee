import type { Operation } from '@seneschal/http';

export type FieldKind = 'text' | 'number' | 'boolean' | 'json';

/** Something that a call takes in its query or its body, as an option of the command line. */
export interface Field {
  /** As in `--empty-for-days`. */
  flag: string;
  /** Where it goes: the names inside each other, one for a query. */
  path: readonly string[];
  place: 'query' | 'body';
  kind: FieldKind;
  isList: boolean;
  isNullable: boolean;
  isRequired: boolean;
  /** The object that it is a part of, where the call needs one of its parts. */
  oneOf: string | undefined;
  choices: readonly string[];
  /** Whether it is a switch that is on unless it is turned off. */
  isOn: boolean;
  description: string;
}

interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  description?: string;
}

/** What goes by a switch that every call has. */
const elsewhere = new Set(['dry_run', 'reason']);

/** Options of every call, which no field may be called by. */
const taken = new Set([
  ...['server', 'token-file', 'config', 'json', 'columns', 'dry-run', 'yes', 'reason', 'wait', 'timeout'],
  ...['body', 'help'],
]);

export function queryFields({ parameters }: Operation): Field[] {
  return parameters
    .filter(({ in: place, name }) => place === 'query' && !elsewhere.has(name))
    .map(({ name, required, schema }) => fieldOf([name], schema, 'query', required));
}

/** The options of a body; of an object inside it those of its parts. */
export function bodyFields(operation: Operation): Field[] {
  const schema = operation.requestBody?.content['application/json']?.schema as Schema | undefined;
  const found = schema === undefined ? [] : partsOf(schema, []);
  const flags = new Set(found.map(({ flag }) => flag));
  // What is in a filter is called by its own name where nothing else is.
  return found.map((field) => {
    const own = flagOf(field.path.slice(-1));
    const isFree = field.path[0] === 'filter' && !flags.has(own) && !taken.has(own);
    return isFree ? { ...field, flag: own } : field;
  });
}

function partsOf(schema: Schema, above: readonly string[], isNeeded = false): Field[] {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => above.length > 0 || !elsewhere.has(name))
    .flatMap(([name, part]) => {
      const path = [...above, name];
      const { inner } = withoutNull(part);
      const isRequired = schema.required?.includes(name) === true;
      if (inner.type === 'object' && inner.properties !== undefined && above.length === 0) {
        return partsOf(inner, path, isRequired);
      }
      const field = fieldOf(path, part, 'body', above.length === 0 && isRequired);
      return [{ ...field, oneOf: isNeeded ? above[0] : undefined }];
    });
}

function flagOf(path: readonly string[]): string {
  return path.map((name) => name.replaceAll('_', '-').toLowerCase()).join('-');
}

function fieldOf(path: readonly string[], schema: Schema, place: Field['place'], isRequired: boolean): Field {
  const { inner, isNullable } = withoutNull(schema);
  const isList = inner.type === 'array';
  const one = isList ? (inner.items ?? {}) : inner;
  const choices = (one.enum ?? []).map(String);
  const isSwitch = choices.length === 2 && choices.includes('true') && choices.includes('false');
  const kind = isSwitch ? 'boolean' : kindOf(one);
  return {
    flag: taken.has(flagOf(path)) ? `${place === 'query' ? 'by' : 'set'}-${flagOf(path)}` : flagOf(path),
    path,
    place,
    kind,
    isList,
    isNullable,
    isRequired: isRequired && schema.default === undefined,
    oneOf: undefined,
    choices: isSwitch ? [] : choices,
    isOn: String(schema.default) === 'true',
    description: describe(schema, { isList, isNullable, kind }),
  };
}

function kindOf({ type, enum: choices }: Schema): FieldKind {
  if (type === 'boolean') return 'boolean';
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'string' || choices !== undefined ? 'text' : 'json';
}

/** What a value is where it is not null: null is one of several types, or of several schemas. */
function withoutNull(schema: Schema): { inner: Schema; isNullable: boolean } {
  if (Array.isArray(schema.type)) {
    const [only, ...others] = schema.type.filter((type) => type !== 'null');
    const { type, ...rest } = schema;
    const inner = only === undefined || others.length > 0 ? rest : { ...rest, type: only };
    return { inner, isNullable: type.includes('null') };
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either === undefined) return { inner: schema, isNullable: false };
  const [only, ...others] = either.filter(({ type }) => type !== 'null');
  const inner = only === undefined || others.length > 0 ? {} : only;
  return { inner, isNullable: either.some(({ type }) => type === 'null') };
}

function describe(
  schema: Schema,
  { isList, isNullable, kind }: Pick<Field, 'isList' | 'isNullable' | 'kind'>,
): string {
  const notes = [
    schema.description,
    isList ? 'may be given again' : undefined,
    isNullable && kind !== 'boolean' ? '`null` for none' : undefined,
    kind === 'json' ? 'JSON, or @FILE' : undefined,
    kind === 'boolean' || schema.default === undefined || JSON.stringify(schema.default) === '[]'
      ? undefined
      : `default ${JSON.stringify(schema.default)}`,
  ];
  return notes.filter((note) => note !== undefined).join('; ');
}
