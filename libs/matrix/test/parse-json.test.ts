import fc from 'fast-check';
import { parseJson } from '../src/index.ts';
import { failure } from './fixtures.ts';

const notJson = failure('M_NOT_JSON');
const badJson = failure('M_BAD_JSON');

describe('parseJson', () => {
  it.each(['', ' \n', '{', '{"a":1,}', 'nul', '"abc', '[1 2]', '{} {}', '}{', "{'a':1}", '\u00a0{}'])(
    'answers M_NOT_JSON for %j',
    (text) => {
      expect(() => parseJson(text)).toThrow(notJson);
    },
  );

  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 10 }), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses depth before parsing', () => {
    expect(() => parseJson('['.repeat(100_000))).toThrow(badJson);
    expect(() => parseJson('{"a":'.repeat(100_000))).toThrow(badJson);
    expect(() => parseJson('[[[1]]]', { maxDepth: 2 })).toThrow(badJson);
    expect(parseJson('[[1]]', { maxDepth: 2 })).toEqual([[1]]);
  });

  it('does not count brackets in strings', () => {
    expect(parseJson('["[[[[\\"[[[["]', { maxDepth: 1 })).toEqual(['[[[["[[[[']);
    expect(parseJson('["\\\\",[]]', { maxDepth: 2 })).toEqual(['\\', []]);
  });

  it.each([
    ['{"a":1} trailing', { a: 1 }],
    [' {"a":"}"}{"b":2}', { a: '}' }],
    ['[1,2]]]]', [1, 2]],
    ['"x" y', 'x'],
    ['-12 {', -12],
    ['true,', true],
  ])('ignores what follows the first value of %j when told', (text, expected) => {
    expect(parseJson(text, { trailing: 'ignore' })).toEqual(expected);
    expect(() => parseJson(text)).toThrow(notJson);
  });

  it('still refuses a broken first value', () => {
    expect(() => parseJson('{"a":1', { trailing: 'ignore' })).toThrow(notJson);
    expect(() => parseJson('', { trailing: 'ignore' })).toThrow(notJson);
  });
});
