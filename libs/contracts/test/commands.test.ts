import { z } from 'zod';

import * as contracts from '../src/index.ts';
import type { Command, EventLog } from '../src/index.ts';

/** What is exported on its own may be in a list as well. */
const exported = [
  ...new Set(
    Object.values(contracts).flatMap((one: unknown) =>
      typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : [],
    ),
  ),
];
const commands = exported.filter(
  (one): one is Command => typeof one === 'object' && one !== null && 'timeoutMs' in one && 'input' in one,
);
const logs = exported.filter(
  (one): one is EventLog<unknown> => typeof one === 'object' && one !== null && 'consumers' in one,
);
const named = commands.map((one) => [`${one.component}.${one.name}`, one] as const);

/** Every key that may stand in an input, however deep. */
function keysOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(keysOf);
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => [
    ...(key === 'properties' ? Object.keys(value as object) : []),
    ...keysOf(value),
  ]);
}

describe('commands', () => {
  it('have names of their own', () => {
    expect(commands.length).toBeGreaterThan(20);
    expect(new Set(named.map(([name]) => name)).size).toBe(named.length);
  });

  // Jobs stand in Redis, and replies in PostgreSQL: what crosses the queue is a hash.
  it.each(named)('%s carries no password and no token', (_name, { input }) => {
    const keys = keysOf(z.toJSONSchema(input, { unrepresentable: 'any', io: 'input' }));
    expect(keys.filter((key) => /^(password|access_?token|secret|mac)$/i.test(key))).toEqual([]);
  });

  it.each(named)('%s is waited for between a second and an hour', (_name, { timeoutMs }) => {
    expect(timeoutMs).toBeGreaterThanOrEqual(1000);
    expect(timeoutMs).toBeLessThanOrEqual(3_600_000);
  });
});

describe('logs of facts', () => {
  it('have tables and consumers of their own', () => {
    const consumers = logs.flatMap((log) => [...log.consumers]);
    expect(logs.length).toBeGreaterThanOrEqual(2);
    expect(new Set(logs.map((log) => log.table)).size).toBe(logs.length);
    expect(new Set(consumers).size).toBe(consumers.length);
  });
});
