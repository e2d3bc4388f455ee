/**
 * Globs of clients (appendices, "Glob-style matching"): `*` stands for any characters, `?` for one, whatever the case.
 * Walked piece by piece and never made into a regular expression, so that no pattern is slow.
 */

/** Whether the whole text matches. */
export function globMatches(pattern: string, text: string): boolean {
  const subject = text.toLowerCase();
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const last = rest.pop();
  if (last === undefined) return first.length === subject.length && fits(first, subject, 0);
  if (!fits(first, subject, 0)) return false;
  const from = skip(rest, subject, first.length);
  const lastStart = subject.length - last.length;
  return from !== -1 && lastStart >= from && fits(last, subject, lastStart);
}

/** Whether the pattern matches a part of the text that begins and ends between words. */
export function globMatchesWords(pattern: string, text: string): boolean {
  const subject = text.toLowerCase();
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const last = rest.pop();
  for (let start = find(first, subject, 0); start !== -1; start = find(first, subject, start + 1)) {
    if (!isBoundary(subject, start)) continue;
    const end = start + first.length;
    if (last !== undefined) return endsAtBoundary(last, subject, skip(rest, subject, end));
    if (isBoundary(subject, end)) return true;
  }
  return false;
}

/** As `globMatchesWords`, with every character taken for itself. */
export function wordsMatch(words: string, text: string): boolean {
  const subject = text.toLowerCase();
  const wanted = words.toLowerCase();
  for (let start = subject.indexOf(wanted); start !== -1; start = subject.indexOf(wanted, start + 1)) {
    if (isBoundary(subject, start) && isBoundary(subject, start + wanted.length)) return true;
  }
  return false;
}

/** Where the text goes on after the pieces in order, each as early as can be; -1 when one is not there. */
function skip(pieces: readonly string[], text: string, from: number): number {
  let position = from;
  for (const piece of pieces) {
    const found = find(piece, text, position);
    if (found === -1) return -1;
    position = found + piece.length;
  }
  return position;
}

function endsAtBoundary(piece: string, text: string, from: number): boolean {
  if (from === -1) return false;
  for (let start = find(piece, text, from); start !== -1; start = find(piece, text, start + 1)) {
    if (isBoundary(text, start + piece.length)) return true;
  }
  return false;
}

function find(piece: string, text: string, from: number): number {
  if (!piece.includes('?')) return from > text.length ? -1 : text.indexOf(piece, from);
  for (let start = from; start + piece.length <= text.length; start += 1) {
    if (fits(piece, text, start)) return start;
  }
  return -1;
}

function fits(piece: string, text: string, start: number): boolean {
  if (start < 0 || start + piece.length > text.length) return false;
  for (let index = 0; index < piece.length; index += 1) {
    if (piece[index] !== '?' && piece[index] !== text[start + index]) return false;
  }
  return true;
}

/** The beginning, the end, and where a word begins or ends. */
function isBoundary(text: string, index: number): boolean {
  return (
    index <= 0 ||
    index >= text.length ||
    isWord(text[index - 1]) !== isWord(text[index]) ||
    !isWord(text[index])
  );
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}
