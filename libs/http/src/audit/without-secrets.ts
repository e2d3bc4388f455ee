/** Keys whose values are kept out of the audit log, in bodies and in queries. */
const secretKey = /pass(word|phrase)|secret|token|credential|authorization|^mac$|^auth$|private/i;

const longestText = 1000;
const mostItems = 100;
const deepest = 6;
const mostBytes = 16_384;

/** Arguments for the audit log: secrets are covered, and what is long is cut, so that a row stays small. */
export function withoutSecrets(value: unknown): unknown {
  const kept = keep(value, 0);
  const bytes = Buffer.byteLength(JSON.stringify(kept));
  return bytes > mostBytes ? `[${bytes} bytes]` : kept;
}

function keep(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shortened(value);
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (depth === deepest) return '[deeper]';
  if (Array.isArray(value)) {
    const items = value.slice(0, mostItems).map((one) => keep(one, depth + 1));
    return value.length > mostItems ? [...items, `[${value.length - mostItems} more]`] : items;
  }
  const entries = Object.entries(value);
  const kept = entries
    .slice(0, mostItems)
    .map(([key, one]) => [shortened(key), covers(key, one) ? '[secret]' : keep(one, depth + 1)]);
  return Object.fromEntries(kept);
}

/** Whether there is a secret at all is no secret. */
function covers(key: string, value: unknown): boolean {
  return secretKey.test(key) && value !== null && value !== undefined && typeof value !== 'boolean';
}

export function shortened(text: string, longest = longestText): string {
  const whole = Buffer.from(text.slice(0, longest)).toString().replaceAll('\0', '\uFFFD');
  return text.length > longest ? `${whole}… [${text.length} characters]` : whole;
}
