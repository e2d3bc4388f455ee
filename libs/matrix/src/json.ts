import { badJson, notJson } from './errors.ts';
import type { JsonValue } from './json-types.ts';

/** How deep objects and arrays may nest unless the caller says otherwise. */
export const MAX_JSON_DEPTH = 100;

const PLAIN_STRING = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
// Only above U+D7FF can the order of UTF-16 units differ from the order of code points.
const ABOVE_SURROGATES = /[\ud800-\uffff]/;

export interface CanonicalOptions {
  /** How deep objects and arrays may nest; 100 unless given. */
  readonly maxDepth?: number;
  /** Room versions 1 to 5 do not enforce the rules on numbers: any finite one, as ECMAScript writes it. */
  readonly anyNumber?: boolean;
}

/**
 * Canonical JSON (appendices, "Canonical JSON"; strict as room versions 6 and later demand): shortest form, keys in
 * the order of their code points. Throws M_BAD_JSON for floats, integers beyond ±(2^53−1), undefined, values that are
 * not JSON, lone surrogates and nesting beyond `maxDepth`.
 */
export function canonicalJson(value: unknown, options: CanonicalOptions = {}): string {
  const anyNumber = options.anyNumber === true;
  return encode(value, options.maxDepth ?? MAX_JSON_DEPTH, anyNumber ? encodeAnyNumber : encodeInteger);
}

type EncodeNumber = (value: number) => string;

function encode(value: unknown, depth: number, number: EncodeNumber): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value);
    case 'number':
      return number(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth <= 0) throw badJson('The JSON is nested too deeply');
      return Array.isArray(value)
        ? encodeArray(value, depth - 1, number)
        : encodeObject(value, depth - 1, number);
    default:
      throw badJson(`JSON has no ${typeof value}`);
  }
}

function encodeInteger(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  throw badJson('Numbers must be integers between -(2^53)+1 and (2^53)-1');
}

function encodeAnyNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  throw badJson('A number is out of range');
}

function encodeString(text: string): string {
  if (PLAIN_STRING.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw badJson('Strings must not hold lone surrogates');
  return JSON.stringify(text);
}

function encodeArray(items: readonly unknown[], depth: number, number: EncodeNumber): string {
  let out = '[';
  for (let i = 0; i < items.length; i++) out += (i > 0 ? ',' : '') + encode(items[i], depth, number);
  return `${out}]`;
}

function encodeObject(object: object, depth: number, number: EncodeNumber): string {
  if (!isPlain(object)) throw badJson('Only plain objects are JSON');
  const record = object as Record<string, unknown>;
  let out = '{';
  for (const key of sortKeys(Object.keys(record))) {
    out += `${out.length > 1 ? ',' : ''}${encodeString(key)}:${encode(record[key], depth, number)}`;
  }
  return `${out}}`;
}

/** Also plain when it comes from another realm, whose Object.prototype is not ours. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null);
}

/** Sorts keys by Unicode code point, in place. */
export function sortKeys(keys: string[]): string[] {
  return keys.some((key) => ABOVE_SURROGATES.test(key)) ? keys.sort(compareCodePoints) : keys.sort();
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    // Before the first difference both strings are equal, so a code point is read from its start or from the same
    // high surrogate in both: then the low surrogates decide, as they should.
    const left = a.codePointAt(i) ?? 0;
    const right = b.codePointAt(i) ?? 0;
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}

export interface ParseLimits {
  /** How deep objects and arrays may nest; 100 unless given. */
  readonly maxDepth?: number;
  /** What follows the first value: refused unless given as 'ignore', which is how Go's decoder reads a body. */
  readonly trailing?: 'reject' | 'ignore';
}

/** Parses untrusted text: M_NOT_JSON when it is empty or broken, M_BAD_JSON when it nests too deeply. */
export function parseJson(text: string, limits: ParseLimits = {}): JsonValue {
  const end = scan(text, limits.maxDepth ?? MAX_JSON_DEPTH);
  const first = limits.trailing === 'ignore' ? text.slice(0, end) : text;
  try {
    return JSON.parse(first) as JsonValue;
  } catch {
    throw notJson();
  }
}

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Where the first value ends; JSON.parse judges the grammar, this only counts brackets outside strings. */
function scan(text: string, maxDepth: number): number {
  let i = skipSpace(text);
  if (i === text.length) throw notJson('The content is empty');
  let depth = 0;
  for (; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === QUOTE) {
      i = endOfString(text, i);
    } else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      if (++depth > maxDepth) throw badJson('The JSON is nested too deeply');
      continue;
    } else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) {
      depth--;
    } else if (depth === 0) {
      return endOfScalar(text, i);
    }
    if (depth <= 0) return i + 1;
  }
  return text.length;
}

function skipSpace(text: string): number {
  let i = 0;
  while (i < text.length && ' \t\n\r'.includes(text.charAt(i))) i++;
  return i;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function endOfScalar(text: string, start: number): number {
  let end = start;
  while (end < text.length && /[-+.0-9A-Za-z]/.test(text.charAt(end))) end++;
  return Math.max(end, start + 1);
}
