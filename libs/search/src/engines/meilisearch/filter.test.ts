import fc from 'fast-check';

import type { EngineQuery } from '../engine.ts';
import { keyOf } from './documents.ts';
import { filtersOf, scopesOf } from './filter.ts';

const key = '"[A-Za-z0-9_-]{43}"';
const keys = `\\[${key}(, ${key})*\\]`;
/** Everything that a filter may consist of. */
const grammar = new RegExp(
  [
    `^(position <= \\d+`,
    `type IN \\["m\\.room\\.[a-z]+"(, "m\\.room\\.[a-z]+")*\\]`,
    `sender (NOT )?IN ${keys}`,
    `has_url = (true|false)`,
    `room IN ${keys}`,
    `room = ${key} AND position >= \\d+( AND position < \\d+)?)$`,
  ].join('|'),
);

const identifier = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '" OR room EXISTS',
    '"] OR position > 0 OR room IN ["',
    '\\" OR 1 = 1 //',
    "') --",
    '\u0000',
  ),
);
const range = fc
  .tuple(identifier, fc.nat(1000), fc.oneof(fc.nat(1000), fc.constant(Infinity)))
  .map(([roomId, from, to]) => ({ roomId, from, to }));

function query(given: Partial<EngineQuery>): EngineQuery {
  return {
    words: ['x'],
    order: 'recent',
    scope: [],
    types: ['m.room.message'],
    upTo: Infinity,
    offset: 0,
    limit: 10,
    ...given,
  };
}

describe('filters for Meilisearch', () => {
  it('can be got out of by no identifier (fuzz)', () => {
    const ids = fc.array(identifier, { maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(range, { minLength: 1, maxLength: 20 }),
        ids,
        ids,
        (scope, senders, notSenders) => {
          const lists = filtersOf(query({ scope, senders: ['@a:x', ...senders], notSenders, upTo: 7 }));
          for (const part of lists.flat(2)) expect(part).toMatch(grammar);
        },
      ),
    );
  });

  it('hold every room once, and no more at a time than Meilisearch is quick with', () => {
    const scope = Array.from({ length: 3500 }, (_, number) => ({
      roomId: `!${number}:x`,
      from: number % 7 === 0 ? 5 : 0,
      to: Infinity,
    }));
    const scopes = scopesOf(scope);
    const named = scopes
      .flat()
      .flatMap((part) => [...part.matchAll(/[A-Za-z0-9_-]{43}/g)].map(([one]) => one));
    expect(named.sort()).toEqual(scope.map(({ roomId }) => keyOf(roomId)).sort());
    for (const parts of scopes) {
      expect(parts.length).toBeLessThanOrEqual(101);
      for (const part of parts) expect(part.split(', ').length).toBeLessThanOrEqual(1000);
    }
  });

  it('let nothing through where nothing may be seen', () => {
    expect(filtersOf(query({ scope: [] }))).toEqual([]);
  });
});
