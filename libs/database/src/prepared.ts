import pg from 'pg';

import { traceQuery } from './trace-query.ts';

/**
 * Names of prepared statements by their text. PostgreSQL then parses and plans each text once per
 * connection, which halves the CPU of short queries. Bounded, so that generated texts cannot fill the memory
 * of the server's backends; texts beyond the bound run unnamed.
 */
const names = new Map<string, string>();
const maximumNames = 500;

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= maximumNames) return undefined;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}

type QueryArguments = [text: unknown, values?: unknown, ...rest: unknown[]];

/** A pg client that turns every parameterised query into a prepared one. */
export class PreparingClient extends pg.Client {
  // The declared overloads of `query` cannot be spelled in an override; the arguments pass through untouched.
  override query = ((...[text, values, ...rest]: QueryArguments): unknown => {
    const run = pg.Client.prototype.query.bind(this) as (...all: unknown[]) => unknown;
    if (typeof text !== 'string') return run(text, values, ...rest);
    const name = Array.isArray(values) && values.length > 0 ? nameOf(text) : undefined;
    return traceQuery(text, () =>
      name === undefined ? run(text, values, ...rest) : run({ name, text, values }, ...rest),
    );
  }) as pg.Client['query'];
}
