import { badJson, missingParam, weakPassword } from '@seneschal/matrix';

const minimumLength = 8;
const maximumLength = 512;

/**
 * Throws unless a new password is acceptable: M_MISSING_PARAM when it is empty, M_WEAK_PASSWORD below 8
 * characters, M_BAD_JSON above 512 characters or with a NUL, at which other implementations of bcrypt stop.
 */
export function checkPasswordRules(password: string): void {
  if (password === '') throw missingParam('Expecting non-empty password.');
  if (password.includes('\0')) throw badJson('The password holds a NUL character.');
  if (password.length < minimumLength) {
    throw weakPassword(`password too weak: min ${minimumLength} characters`);
  }
  if (password.length > maximumLength) throw badJson(`password too long: max ${maximumLength} characters`);
}
