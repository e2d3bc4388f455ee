import { fitsIdentifier, invalidUsername, isUserLocalpart } from '@seneschal/matrix';

/**
 * Throws M_INVALID_USERNAME unless a new account may have this localpart: `a-z 0-9 . _ = / + -`, not
 * beginning with `_` (kept for application services), and the whole user ID within 255 bytes
 * (appendices, "User Identifiers").
 */
export function checkLocalpart(localpart: string, serverName: string): void {
  if (!isUserLocalpart(localpart)) {
    throw invalidUsername('A user name is made of a-z, 0-9, ".", "_", "=", "-", "/" and "+".');
  }
  if (localpart.startsWith('_')) throw invalidUsername('A user name does not begin with "_".');
  if (!fitsIdentifier(`@${localpart}:${serverName}`)) throw invalidUsername('The user name is too long.');
}
