import fc from 'fast-check';
import { canonicalJson, parseJson } from '../src/index.ts';
import { failure } from './fixtures.ts';

const safeJson = fc.jsonValue({ noUnicodeString: false, stringUnit: 'binary' }).filter(isCanonical);

function isCanonical(value: unknown): boolean {
  try {
    canonicalJson(value);
    return true;
  } catch {
    return false;
  }
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

describe('canonicalJson', () => {
  it.each([
    ['{}', '{}'],
    ['{"one": 1, "two": "Two"}', '{"one":1,"two":"Two"}'],
    ['{"b": "2", "a": "1"}', '{"a":"1","b":"2"}'],
    [
      `{"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {"display_name": "John Doe",
        "three_pids": [{"medium": "email", "address": "john.doe@example.org"},
        {"medium": "msisdn", "address": "123456789"}]}}}`,
      '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}',
    ],
    ['{"a": "日本語"}', '{"a":"日本語"}'],
    ['{"本": 2, "日": 1}', '{"日":1,"本":2}'],
    ['{"a": "\\u65E5"}', '{"a":"日"}'],
    ['{"a": null}', '{"a":null}'],
    ['{"a": -0, "b": 1e10}', '{"a":0,"b":10000000000}'],
  ])('gives the example of the specification for %s', (input, expected) => {
    expect(canonicalJson(parseJson(input))).toBe(expected);
  });

  it('orders keys by code point, not by UTF-16 unit', () => {
    expect(canonicalJson({ '\u{10000}': 1, '\uffff': 2, '\ue000b': 3, z: 4 })).toBe(
      '{"z":4,"\ue000b":3,"\uffff":2,"\u{10000}":1}',
    );
    expect(canonicalJson({ '\u{1f600}b': 1, '\u{1f600}a': 2, '\u{1f600}': 3, '\u{1f5ff}z': 4 })).toBe(
      '{"\u{1f5ff}z":4,"\u{1f600}":3,"\u{1f600}a":2,"\u{1f600}b":1}',
    );
  });

  it('escapes exactly what the grammar says', () => {
    expect(canonicalJson('\u0000\u0007\b\t\n\f\r\u001f"\\/\u007f\u2028é')).toBe(
      '"\\u0000\\u0007\\b\\t\\n\\f\\r\\u001f\\"\\\\/\u007f\u2028é"',
    );
  });

  it('keeps integers to the limit', () => {
    expect(canonicalJson([9007199254740991, -9007199254740991])).toBe('[9007199254740991,-9007199254740991]');
  });

  it.each([
    ['a float', 1.5],
    ['2^53', 2 ** 53],
    ['-(2^53)', -(2 ** 53)],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['a bigint', 1n],
    ['undefined', undefined],
    ['undefined in an object', { a: undefined }],
    // eslint-disable-next-line no-sparse-arrays
    ['a hole in an array', [1, , 2]],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a Date', new Date()],
    ['a Map', new Map()],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\udc00a': 1 }],
    ['100,000 levels', deep(100_000)],
  ])('refuses %s', (_name, value) => {
    expect(() => canonicalJson(value)).toThrow(failure('M_BAD_JSON'));
  });

  it('keeps a key named __proto__', () => {
    expect(canonicalJson(parseJson('{"__proto__": {"a": 1}}'))).toBe('{"__proto__":{"a":1}}');
  });

  it('reads back to the same value, and to the same text again', () => {
    fc.assert(
      fc.property(safeJson, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.stringify(JSON.parse(text)).length).toBe(text.length);
      }),
    );
  });

  it('does not depend on the order of insertion', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.integer()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        if (isCanonical(object)) expect(canonicalJson(reversed)).toBe(canonicalJson(object));
      }),
    );
  });

  it('orders keys as their UTF-8 bytes are ordered', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 20 }), (keys) => {
        const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
        const expected = keys
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
          .map((key) => `${JSON.stringify(key)}:0`);
        expect(text).toBe(`{${expected.join(',')}}`);
      }),
    );
  });
});

describe('canonicalJson of room versions 1 to 5', () => {
  it.each<[number, string]>([
    [1.5, '1.5'],
    [-0, '0'],
    [1e300, '1e+300'],
    [2 ** 53, '9007199254740992'],
    [0.000001, '0.000001'],
  ])('takes %d', (value, text) => {
    expect(canonicalJson([value], { anyNumber: true })).toBe(`[${text}]`);
    expect(canonicalJson(JSON.parse(text), { anyNumber: true })).toBe(text);
  });

  it('refuses what is no number of JSON', () => {
    for (const value of [Infinity, -Infinity, NaN]) {
      expect(() => canonicalJson(value, { anyNumber: true })).toThrow(failure('M_BAD_JSON'));
    }
  });
});
