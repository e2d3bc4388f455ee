const mostWords = 16;
const longestWord = 64;

/**
 * The words of a text as they are compared: without regard to case, or to how characters are composed. What is neither
 * letter, mark nor digit stands between words.
 */
export function wordsOf(text: string): string[] {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.slice(0, longestWord));
  return [...new Set(words)].slice(0, mostWords);
}

/** The words that a user is found by: those of the display name and of the localpart. */
export function wordsOfUser(userId: string, displayname: string | null): string[] {
  return [...new Set([...wordsOf(localpartOf(userId)), ...wordsOf(displayname ?? '')])];
}

/** The words that are looked for; of a user ID, be it whole or begun, the server name is none. */
export function wordsOfTerm(term: string): string[] {
  return wordsOf(term.startsWith('@') ? localpartOf(term) : term);
}

function localpartOf(userId: string): string {
  return userId.slice(1).split(':', 1)[0] ?? '';
}
