/** Words of a term that count: Meilisearch looks at no more, and both engines shall answer the same. */
export const maximumWords = 10;

/**
 * The words of a search term, each once. Everything but letters, marks and digits separates words, so that
 * nothing in a term is an operator to an engine: no quotes, no minus, no parentheses.
 */
export function wordsOf(term: string): string[] {
  const words = wellFormed(term)
    .normalize('NFC')
    .matchAll(/[\p{L}\p{M}\p{N}]+/gu);
  return [...new Set([...words].map(([word]) => word))].slice(0, maximumWords);
}

/** With halves of surrogate pairs, which UTF-8 cannot say, replaced. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString('utf8');
}
