import type { OpenApiDocument, Operation } from '@seneschal/http';

import { bodyFields, type Field, queryFields } from './fields.ts';
import { harmlessCalls, isNamed, nameOf, rankOf } from './names.ts';

/** A call of the admin API as a subcommand. */
export interface CliOperation {
  noun: string;
  verb: string;
  id: string;
  method: string;
  /** With `{name}` for parameters. */
  path: string;
  summary: string;
  params: readonly string[];
  fields: readonly Field[];
  takesBody: boolean;
  needsBody: boolean;
  /** Where the server is told that this is a rehearsal; undefined where it knows none. */
  rehearsal: 'query' | 'body' | undefined;
  /** Whether it may be answered with a job. */
  isLong: boolean;
  isDestructive: boolean;
  changes: boolean;
  /** Whether it answers page by page. */
  isPaged: boolean;
  produces: string;
}

/**
 * The subcommands of an API: every call for administrators, and the few others that have names. A call that no
 * name is written down for is called after its path.
 */
export function operationsOf(api: OpenApiDocument): CliOperation[] {
  const calls = callsOf(api).sort(
    (one, other) => rankOf(one.method, one.path) - rankOf(other.method, other.path),
  );
  const byName = new Map<string, CliOperation>();
  for (const { method, path, operation } of calls) {
    const known = byName.get(nameOf(method, path));
    if (known !== undefined && isNamed(method, path)) continue;
    const name = known === undefined ? nameOf(method, path) : `${nameOf(method, path)}-${method}`;
    byName.set(name, toOperation(name, method, path, operation));
  }
  return [...byName.values()].sort((one, other) =>
    `${one.noun} ${one.verb}` < `${other.noun} ${other.verb}` ? -1 : 1,
  );
}

interface Call {
  method: string;
  path: string;
  operation: Operation;
}

/** The calls that are subcommands. */
export function callsOf(api: OpenApiDocument): Call[] {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method, { 'x-access': access }]) => access === 'admin' || isNamed(method, path))
      .map(([method, operation]) => ({ method, path, operation })),
  );
}

function toOperation(name: string, method: string, path: string, operation: Operation): CliOperation {
  const [noun = '', verb = ''] = name.split(' ');
  const rehearsal = rehearsalOf(operation);
  const fields = [...queryFields(operation), ...bodyFields(operation)];
  return {
    noun,
    verb,
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    summary: summaryOf(operation, rehearsal),
    params: [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param ?? ''),
    fields,
    takesBody: operation.requestBody !== undefined,
    needsBody: operation.requestBody?.required === true,
    rehearsal,
    isLong: '202' in operation.responses,
    isDestructive: method === 'delete' || (rehearsal !== undefined && !harmlessCalls.has(name)),
    changes: method !== 'get',
    isPaged: fields.some(({ place, flag }) => place === 'query' && flag === 'from'),
    produces: Object.keys(operation.responses['200']?.content ?? {})[0] ?? 'none',
  };
}

/** Whether it is a rehearsal is said by --dry-run, and so no part of what a call does. */
function summaryOf({ summary, responses }: Operation, rehearsal: CliOperation['rehearsal']): string {
  if ('text/event-stream' in (responses['200']?.content ?? {}))
    return 'Shows how far a job is, until it ends';
  return rehearsal === 'body' ? (summary.split(';')[0] ?? summary) : summary;
}

function rehearsalOf({ parameters, requestBody }: Operation): CliOperation['rehearsal'] {
  if (parameters.some(({ name, in: place }) => place === 'query' && name === 'dry_run')) return 'query';
  const schema = requestBody?.content['application/json']?.schema as
    { properties?: Record<string, unknown> } | undefined;
  return schema?.properties !== undefined && 'dry_run' in schema.properties ? 'body' : undefined;
}
