import fc from 'fast-check';

import { maximumWords, wordsOf } from './term.ts';

describe('the words of a term', () => {
  it('are letters and digits alone, each once, and not more than count (fuzz)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (term) => {
        const words = wordsOf(term);
        for (const word of words) expect(word).toMatch(/^[\p{L}\p{M}\p{N}]+$/u);
        expect(new Set(words).size).toBe(words.length);
        expect(words.length).toBeLessThanOrEqual(maximumWords);
      }),
    );
  });

  it.each([
    ['white whale', ['white', 'whale']],
    ["  O'Brien & co. ", ['O', 'Brien', 'co']],
    ['user@example.org/path?x=1', ['user', 'example', 'org', 'path', 'x', '1']],
    ['日本語 Ελλάδα', ['日本語', 'Ελλάδα']],
    ['"-(|!*:', []],
    ['a b c d e f g h i j k l', 'abcdefghij'.split('')],
  ])('of %j are %j', (term, expected) => {
    expect(wordsOf(term)).toEqual(expected);
  });
});
