import { invalidParam, MatrixError } from '@seneschal/matrix';
import { z } from 'zod';

const names = /^(?:avatar_url|displayname|m\.tz|[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)$/;
const mostBytes = 255;

/**
 * The name of a field of a profile (client-server API v1.16, `PUT /profile/{userId}/{keyName}`): M_INVALID_PARAM for
 * what is none, M_KEY_TOO_LARGE for what is longer than 255 bytes.
 */
export const fieldName = z.string().transform((name) => {
  if (Buffer.byteLength(name) > mostBytes) {
    throw new MatrixError(400, 'M_KEY_TOO_LARGE', `The name of a field has at most ${mostBytes} bytes.`);
  }
  if (!names.test(name)) throw invalidParam('That is not the name of a field of a profile.');
  return name;
});
