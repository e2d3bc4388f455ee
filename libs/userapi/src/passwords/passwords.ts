import { createHash } from 'node:crypto';

import { HashThreads } from './hash-threads.ts';

const threads = new HashThreads();

/** bcrypt looks at no byte beyond these. */
const bcryptBytes = 72;

/**
 * Hashes a new password with bcrypt, off the event loop. Up to 72 bytes the password itself is hashed, as
 * everybody does, so hashes from other homeservers verify; of a longer one, all of which shall count, the
 * Base64 of its SHA-256 is.
 * @param cost the logarithm of the rounds, from `bcrypt_cost`
 */
export async function hashPassword(password: string, cost: number): Promise<string> {
  return String(await threads.run({ kind: 'hash', password: shortened(password), cost }));
}

/** Whether a password belongs to a bcrypt hash ($2a$, $2b$, $2y$). */
export async function matchesHash(password: string, hash: string): Promise<boolean> {
  // At a NUL some implementations stop: no password of ours holds one.
  if (password.includes('\0')) return false;
  return (await threads.run({ kind: 'verify', password: shortened(password), hash })) === true;
}

/** A hash that nothing matches and that takes as long to check as one of `cost`. */
export function decoyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}

/** Names a stored hash without telling it: a login says by it which one its password was checked against. */
export function hashDigest(passwordHash: string): string {
  return createHash('sha256').update(passwordHash).digest('base64url');
}

function shortened(password: string): string {
  if (Buffer.byteLength(password) <= bcryptBytes) return password;
  return createHash('sha256').update(password).digest('base64');
}
